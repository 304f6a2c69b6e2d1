"""Crafted keys, signatures and boxes for negative.py: edwards25519 in plain integers, so that no library
refuses to make what others must refuse."""

import ctypes
import ctypes.util
import hashlib
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert sodium.sodium_init() >= 0
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1)


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P)


def multiply(n, p):
    out = IDENTITY
    while n:
        if n & 1:
            out = add(out, p)
        p = add(p, p)
        n >>= 1
    return out


def x_of(y, sign):
    """None when no point has this y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    return P - x if x & 1 != sign else x


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def decode(raw):
    """None for anything but the one spelling of a point."""
    number = int.from_bytes(raw, "little")
    y, sign = number & 2**255 - 1, number >> 255
    if y >= P:
        return None
    x = x_of(y, sign)
    return None if x is None or (x % P == 0 and sign) else (x % P, y)


BASE = (x_of(4 * pow(5, -1, P) % P, 0), 4 * pow(5, -1, P) % P)


def torsion_point():
    """A point of order eight: what is left of any point when its part of order L is taken away."""
    y = 2
    while True:
        y += 1
        x = x_of(y, 0)
        if x is None:
            continue
        point = multiply(L, (x, y))
        if multiply(4, point) != IDENTITY:
            return point


TORSION = [multiply(i, torsion_point()) for i in range(8)]


def challenge(r, public, message):
    return int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")


def scalars(seed):
    digest = hashlib.sha512(seed).digest()
    a = int.from_bytes(digest[:32], "little")
    return (a & (2**254 - 8)) | 2**254, digest[32:]


def sign(seed, message, r_torsion=IDENTITY, a_torsion=IDENTITY, nonce=b""):
    """An honest signature, unless torsion is added to its R or to the key."""
    a, prefix = scalars(seed)
    public = encode(add(multiply(a, BASE), a_torsion))
    r = int.from_bytes(hashlib.sha512(prefix + nonce + message).digest(), "little") % L
    point = encode(add(multiply(r, BASE), r_torsion))
    s = (r + challenge(point, public, message) * a) % L
    return public, point + s.to_bytes(32, "little")


def judge_ed25519(public, message, signature):
    """Strict: one spelling, the prime-order subgroup, no cofactor."""
    if len(signature) != 64:
        return False
    a, r, s = decode(public), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if multiply(8, r) == IDENTITY or a == IDENTITY or multiply(L, a) != IDENTITY:
        return False
    k = challenge(signature[:32], public, message) % L
    return multiply(s, BASE) == add(r, multiply(k, a))


def ed25519_cases():
    seed = bytes(range(1, 33))
    message = b"a statement"
    public, good = sign(seed, message)
    case = lambda name, verdict, p=public, m=message, s=good: (
        verdict, "ed25519." + name, "ed25519", {"public": p, "message": m, "signature": s})
    s = int.from_bytes(good[32:], "little")
    with_s = lambda value: good[:32] + value.to_bytes(32, "little")
    yield case("good", "accept")
    yield case("another_message", "refuse", m=b"a statemenu")
    yield case("cut", "refuse", s=good[:63])
    yield case("extended", "refuse", s=good + b"\0")
    yield case("empty", "refuse", s=b"")
    yield case("s_plus_l", "refuse", s=with_s(s + L))
    yield case("s_plus_14_l", "refuse", s=with_s(s + 14 * L))
    yield case("s_is_l", "refuse", s=with_s(L))
    yield case("s_all_ones", "refuse", s=with_s(2**256 - 1))
    yield case("s_zero", "refuse", s=with_s(0))
    yield case("s_and_r_swapped", "refuse", s=good[32:] + good[:32])
    for i in range(1, 8):
        _, crafted = sign(seed, message, r_torsion=TORSION[i])
        yield case(f"mixed_order_r_{i}", "refuse", s=crafted)
    for i in range(8):
        # R of small order: S = k·a makes the equation hold up to that small part.
        a, _ = scalars(seed)
        r = encode(TORSION[i])
        crafted = r + (challenge(r, public, message) * a % L).to_bytes(32, "little")
        yield case(f"small_order_r_{i}", "refuse", s=crafted)
        # A of small order: anybody can sign for such a key.
        key = encode(TORSION[i])
        for nonce in range(64):
            point = encode(multiply(nonce + 1, BASE))
            if multiply(challenge(point, key, message) % 8, TORSION[i]) == IDENTITY:
                crafted = point + (nonce + 1).to_bytes(32, "little")
                break
        yield case(f"small_order_a_{i}", "refuse", p=key, s=crafted)
    for i in range(1, 8):
        # A of mixed order, and a challenge that hides it: verifiers without cofactor accept it.
        for nonce in range(200):
            key, crafted = sign(seed, message, a_torsion=TORSION[i], nonce=struct.pack(">I", nonce))
            if challenge(crafted[:32], key, message) % 8 == 0:
                break
        yield case(f"mixed_order_a_{i}", "refuse", p=key, s=crafted)
    for y in (0, 1):
        key = (y + P).to_bytes(32, "little")
        point = encode(multiply(7, BASE))
        yield case(f"other_spelling_of_a_{y}", "refuse", p=key, s=point + (7).to_bytes(32, "little"))
    negative_zero = (1 | 1 << 255).to_bytes(32, "little")
    yield case("negative_zero_a", "refuse", p=negative_zero,
               s=encode(multiply(7, BASE)) + (7).to_bytes(32, "little"))


# ---- X25519 and boxes

def montgomery(p):
    return (1 + p[1]) * pow(1 - p[1], -1, P) % P if p[1] != 1 else 0


LOW_ORDER = {montgomery(point) for point in TORSION} | {0}


def judge_x25519(public):
    """Usable as a box key: 32 bytes, and a shared secret that not everybody knows."""
    return (int.from_bytes(public, "little") & 2**255 - 1) % P not in LOW_ORDER


def hsalsa20(key):
    out = ctypes.create_string_buffer(32)
    assert sodium.crypto_core_hsalsa20(out, bytes(16), key, None) == 0
    return out.raw


def box_public(secret):
    out = ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult_base(out, secret)
    return out.raw


def seal_box(secret, public, plain, shared=None):
    """A sealed box by the ephemeral `secret`; with `shared`, as if that were the secret agreed."""
    ephemeral = secret if shared is not None else box_public(secret)
    if shared is None:
        shared = ctypes.create_string_buffer(32)
        assert sodium.crypto_scalarmult(shared, secret, public) == 0
        shared = shared.raw
    nonce = hashlib.blake2b(ephemeral + public, digest_size=24).digest()
    out = ctypes.create_string_buffer(len(plain) + 16)
    sodium.crypto_secretbox_easy(out, plain, ctypes.c_ulonglong(len(plain)), nonce,
                                 hsalsa20(shared))
    return ephemeral + out.raw


def open_box(secret, sealed):
    if len(sealed) < 48:
        return None
    if not judge_x25519(sealed[:32]):
        return None
    public = box_public(secret)
    shared = ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult(shared, secret, sealed[:32])
    nonce = hashlib.blake2b(sealed[:32] + public, digest_size=24).digest()
    out = ctypes.create_string_buffer(len(sealed) - 48)
    good = sodium.crypto_secretbox_open_easy(out, sealed[32:],
                                             ctypes.c_ulonglong(len(sealed) - 32), nonce,
                                             hsalsa20(shared.raw))
    return out.raw if good == 0 else None


def x25519_cases():
    yield "accept", "x25519.good", "x25519", {"public": box_public(bytes(range(0x30, 0x50)))}
    spellings = set()
    for u in sorted(LOW_ORDER):
        for number in (u, u + P, u + 2 * P):
            for high in (0, 1 << 255):
                if number < 2**255:
                    spellings.add((number | high).to_bytes(32, "little"))
    for i, raw in enumerate(sorted(spellings)):
        yield "refuse", f"x25519.low_order_{i}", "x25519", {"public": raw}


def box_cases():
    secret = bytes(range(0x30, 0x50))
    good = seal_box(bytes(range(0x60, 0x80)), box_public(secret), b"a secret")
    case = lambda name, verdict, sealed: (verdict, "box." + name, "box",
                                          {"secret": secret, "sealed": sealed})
    yield case("good", "accept", good)
    yield case("cut", "refuse", good[:-1])
    yield case("extended", "refuse", good + b"\0")
    yield case("too_short", "refuse", good[:47])
    yield case("empty", "refuse", b"")
    for i, u in enumerate(sorted(LOW_ORDER)):
        # The shared secret would be zero: anybody could make this, and it would open.
        forged = seal_box(u.to_bytes(32, "little"), box_public(secret), b"a secret", bytes(32))
        yield case(f"low_order_ephemeral_{i}", "refuse", forged)
