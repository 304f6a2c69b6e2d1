"""Writes and checks negative.txt: inputs that every correct verifier must refuse, beside those that it
must accept, with a second implementation that shares no code with ours.

    negative.py            checks that negative.txt says what this program computes and judges
    negative.py --write    writes it anew, only when a case is added

Ciphers come from libsodium, called directly; negative_keys.py crafts keys, signatures and boxes.
"""

import base64
import ctypes
import hashlib
import pathlib
import struct
import sys

from negative_keys import (box_cases, box_public, ed25519_cases, judge_ed25519, judge_x25519,
                           open_box, seal_box, sign, sodium, x25519_cases)

FILE = pathlib.Path(__file__).parent / "negative.txt"

# ---- the seal of an entry

def labelled(label, parts, size=32, key=b""):
    digest = hashlib.blake2b(digest_size=size, key=key)
    digest.update(b"entente/v1/" + label + b"\0")
    for part in parts:
        digest.update(struct.pack("<Q", len(part)) + part)
    return digest.digest()


def aead_seal(key, nonce, plain, context):
    out = ctypes.create_string_buffer(len(plain) + 16)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, plain, ctypes.c_ulonglong(len(plain)), context,
        ctypes.c_ulonglong(len(context)), None, nonce, key)
    return out.raw


def aead_open(key, nonce, sealed, context):
    if len(sealed) < 16:
        return None
    out = ctypes.create_string_buffer(max(len(sealed) - 16, 1))
    good = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, None, None, sealed, ctypes.c_ulonglong(len(sealed)), context,
        ctypes.c_ulonglong(len(context)), nonce, key)
    return out.raw[:len(sealed) - 16] if good == 0 else None


def header_part(index, size, log):
    return struct.pack(">BBHIQI", 1, 1, 0, 1, index, size) + log


def body_keys(entry_key, part):
    both = labelled(b"body", [part], 64, entry_key)
    return both[:32], both[32:]


def seal_body(entry_key, part, padded, nonce):
    key, commit = body_keys(entry_key, part)
    return nonce + commit + aead_seal(key, nonce, padded, b"entente/v1/body\0" + part)


def padme(n):
    exponent = n.bit_length() - 1
    dropped = exponent - exponent.bit_length()
    mask = (1 << max(dropped, 0)) - 1
    return (n + mask) & ~mask


def judge_body(key, log, index, body):
    part = header_part(int.from_bytes(index, "big"), len(body), log)
    aead_key, commit = body_keys(key, part)
    if len(body) < 72 or body[24:56] != commit:
        return False
    plain = aead_open(aead_key, body[:24], body[56:], b"entente/v1/body\0" + part)
    if plain is None or len(plain) < 256:
        return False
    size = int.from_bytes(plain[:4], "big")
    return len(plain) == max(256, padme(4 + size)) and not any(plain[4 + size:])


def keystream(key, nonce, blocks):
    """Of XChaCha20: block 0 gives the Poly1305 key, the rest is added to the text."""
    subkey = ctypes.create_string_buffer(32)
    sodium.crypto_core_hchacha20(subkey, nonce[:16], key, None)
    out = ctypes.create_string_buffer(64 * blocks)
    sodium.crypto_stream_chacha20_ietf(out, ctypes.c_ulonglong(64 * blocks),
                                       bytes(4) + nonce[16:], subkey.raw)
    return out.raw


def double_opening(key_a, key_b, log, index):
    """One ciphertext and tag that the AEAD opens under two keys: what the commitment is against.

    Poly1305 is a polynomial in the text, so one free block of 16 bytes makes both tags meet."""
    prime = 2**130 - 5
    size = 24 + 32 + 256 + 16
    part = header_part(index, size, log)
    context = b"entente/v1/body\0" + part
    (aead_a, commit_a), (aead_b, _) = body_keys(key_a, part), body_keys(key_b, part)
    padded = struct.pack(">I", 100) + b"for one reader only ".ljust(100, b".") + bytes(152)
    for attempt in range(4096):
        nonce = hashlib.blake2b(struct.pack(">I", attempt), digest_size=24).digest()
        streams = [keystream(key, nonce, 5) for key in (aead_a, aead_b)]
        text = bytearray(x ^ y for x, y in zip(padded, streams[0][64:]))
        r = [int.from_bytes(s[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF for s in streams]
        pad = [int.from_bytes(s[16:32], "little") for s in streams]
        free = 16  # the second block, within the 100 bytes of content
        text[free:free + 16] = bytes(16)

        def blocks():
            message = context + bytes(-len(context) % 16) + bytes(text)
            message += struct.pack("<QQ", len(context), len(text))
            return [message[i:i + 16] for i in range(0, len(message), 16)]

        position = (len(context) + 15) // 16 + free // 16
        total = len(blocks())
        known = []
        for j in range(2):
            h = 0
            for i, block in enumerate(blocks()):
                value = 0 if i == position else int.from_bytes(block + b"\1", "little")
                h += value * pow(r[j], total - i, prime)
            known.append(h % prime)
        slope = (pow(r[0], total - position, prime) - pow(r[1], total - position, prime)) % prime
        for wrap in range(-3, 4):
            x = (known[1] - known[0] + pad[1] - pad[0] + wrap * 2**128) * pow(slope, -1, prime)
            x %= prime
            if not 2**128 <= x < 2**129:
                continue
            text[free:free + 16] = (x - 2**128).to_bytes(16, "little")
            h = (known[0] + x * pow(r[0], total - position, prime)) % prime
            tag = ((h + pad[0]) % 2**128).to_bytes(16, "little")
            sealed = bytes(text) + tag
            if all(aead_open(k, nonce, sealed, context) for k in (aead_a, aead_b)):
                return nonce + commit_a + sealed, commit_a
    raise AssertionError("no ciphertext for two keys found")


def body_cases():
    key, other, log = bytes(range(0x10, 0x30)), bytes(range(0x11, 0x31)), b"L" * 32
    text = b"a short text"
    padded = (struct.pack(">I", len(text)) + text).ljust(256, b"\0")
    size = 24 + 32 + 256 + 16
    part = header_part(3, size, log)
    nonce = bytes(range(24))
    good = seal_body(key, part, padded, nonce)
    flat = lambda name, verdict, k=key, i=3, l=log, b=good: (
        verdict, "body." + name, "body",
        {"key": k, "log": l, "index": struct.pack(">Q", i), "body": b})
    yield flat("good", "accept")
    yield flat("another_key", "refuse", k=other)
    yield flat("another_index", "refuse", i=4)
    yield flat("another_log", "refuse", l=b"M" * 32)
    yield flat("tag_cut", "refuse", b=good[:-1])
    yield flat("tag_extended", "refuse", b=good + b"\0")
    yield flat("no_tag", "refuse", b=good[:-16])
    yield flat("empty", "refuse", b=b"")
    yield flat("commitment_alone", "refuse", b=good[:56])
    yield flat("commitment_of_another_key", "refuse",
               b=good[:24] + body_keys(other, part)[1] + good[56:])
    yield flat("commitment_zero", "refuse", b=good[:24] + bytes(32) + good[56:])
    longer = lambda name, plain: flat(
        name, "refuse",
        b=seal_body(key, header_part(3, 72 + len(plain), log), plain, nonce))
    yield longer("length_lies", struct.pack(">I", 253) + bytes(252))
    yield longer("length_huge", b"\xff" * 4 + bytes(252))
    yield longer("padding_not_zero", padded[:-1] + b"\1")
    yield longer("padding_too_long", padded + bytes(64))
    yield longer("below_the_floor", struct.pack(">I", len(text)) + text)
    yield longer("no_length", b"abc")
    double, _ = double_opening(key, other, log, 3)
    yield flat("one_ciphertext_for_two_keys_first", "accept", b=double)
    yield flat("one_ciphertext_for_two_keys_second", "refuse", k=other, b=double)


# ---- slots

def slot_context(log, epoch, party, key_id, card):
    return labelled(b"slot", [log, epoch, party, key_id, card])


def judge_slot(secret, log, epoch, party, key_id, card, box):
    if len(box) != 112:
        return False
    plain = open_box(secret, box)
    return plain is not None and plain[32:] == slot_context(log, epoch, party, key_id, card)


def slot_cases():
    secret = bytes(range(0x30, 0x50))
    public = box_public(secret)
    key_id = labelled(b"slot", [public])[:8]
    here = {"secret": secret, "log": b"L" * 32, "epoch": struct.pack(">I", 2), "party": b"B" * 32,
            "key_id": key_id, "card": b"C" * 32}
    place = [here[name] for name in ("log", "epoch", "party", "key_id", "card")]
    seed = b"s" * 32
    ephemeral = bytes(range(0x60, 0x80))
    good = seal_box(ephemeral, public, seed + slot_context(*place))
    case = lambda name, verdict, box=good, **other: (verdict, "slot." + name, "slot",
                                                     {**here, **other, "box": box})
    yield case("good", "accept")
    yield case("another_log", "refuse", log=b"M" * 32)
    yield case("another_epoch", "refuse", epoch=struct.pack(">I", 3))
    yield case("another_party", "refuse", party=b"A" * 32)
    yield case("another_key_id", "refuse", key_id=b"k" * 8)
    yield case("another_author", "refuse", card=b"D" * 32)
    yield case("another_recipient", "refuse", secret=bytes(range(0x31, 0x51)))
    yield case("cut", "refuse", box=good[:-1])
    yield case("extended", "refuse", box=good + b"\0")
    yield case("no_context", "refuse", box=seal_box(ephemeral, public, seed))
    yield case("context_cut", "refuse",
               box=seal_box(ephemeral, public, seed + slot_context(*place)[:31]))
    yield case("context_zero", "refuse", box=seal_box(ephemeral, public, seed + bytes(32)))


# ---- trees

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1", root(leaves[:split]), root(leaves[split:]))


def path_of(leaves, index):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path_of(leaves[:split], index) + [root(leaves[split:])]
    return path_of(leaves[split:], index - split) + [root(leaves[:split])]


def root_by(leaf, index, size, path):
    """None unless the path has exactly the hashes that the place takes."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        inner = root_by(leaf, index, split, path[:-1])
        return None if inner is None else sha256(b"\1", inner, path[-1])
    inner = root_by(leaf, index - split, size - split, path[:-1])
    return None if inner is None else sha256(b"\1", path[-1], inner)


def judge_inclusion(leaf, index, size, path, expected):
    index, size = int.from_bytes(index, "big"), int.from_bytes(size, "big")
    hashes = [path[i:i + 32] for i in range(0, len(path), 32)]
    if index >= size or size > 2**20:  # a path of more hashes stands in no case
        return False
    return root_by(leaf, index, size, hashes) == expected


def inclusion_cases():
    leaves = [sha256(bytes([i])) for i in range(13)]
    number = lambda value: struct.pack(">Q", value)
    for size, index in ((13, 5), (8, 7), (1, 0), (2, 1), (7, 6)):
        path = path_of(leaves[:size], index)
        here = {"leaf": leaves[index], "index": number(index), "size": number(size),
                "path": b"".join(path), "root": root(leaves[:size])}
        case = lambda name, verdict, **other: (verdict, f"inclusion.{name}_{index}_of_{size}",
                                               "inclusion", {**here, **other})
        yield case("good", "accept")
        yield case("size_0", "refuse", size=number(0))
        yield case("index_is_size", "refuse", index=number(size))
        yield case("index_huge", "refuse", index=number(2**64 - 1))
        yield case("size_huge", "refuse", size=number(2**64 - 1))
        yield case("extended", "refuse", path=here["path"] + bytes(32))
        yield case("another_leaf", "refuse", leaf=leaves[(index + 1) % 13])
        yield case("another_root", "refuse", root=sha256(b"another"))
        if path:
            yield case("cut", "refuse", path=b"".join(path[:-1]))
            yield case("first_cut", "refuse", path=b"".join(path[1:]))
            yield case("empty", "refuse", path=b"")
            yield case("other_side", "refuse", index=number(index ^ 1))
            yield case("node_as_leaf", "refuse", leaf=sha256(b"\1", path[0], here["leaf"]),
                       path=b"".join(path[1:]))
        if len(path) > 1:
            yield case("order_turned", "refuse", path=b"".join(reversed(path)))


# ---- checkpoints

def judge_checkpoint(text):
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3] != b"":
        return False
    origin, size, digest = lines[:3]
    if not origin or any(c <= 0x20 or c >= 0x7F or c == ord("+") for c in origin):
        return False
    if not size or len(size) > 19 or not all(48 <= c <= 57 for c in size) or (
            len(size) > 1 and size[:1] == b"0"):
        return False
    try:
        raw = base64.b64decode(digest, validate=True)
    except ValueError:
        return False
    return len(raw) == 32 and base64.b64encode(raw) == digest


def checkpoint_cases():
    origin = b"entente/v1/" + b"ab" * 32
    digest = base64.b64encode(bytes(range(32)))
    good = origin + b"\n42\n" + digest + b"\n"
    case = lambda name, verdict, text: (verdict, "checkpoint." + name, "checkpoint",
                                        {"text": text})
    yield case("good", "accept", good)
    yield case("empty_tree", "accept", origin + b"\n0\n" + digest + b"\n")
    for name, size in (("leading_zero", b"042"), ("double_zero", b"00"), ("plus", b"+42"),
                       ("minus", b"-42"), ("blank_before", b" 42"), ("blank_behind", b"42 "),
                       ("hexadecimal", b"0x2a"), ("no_size", b""), ("size_beyond", b"9" * 20),
                       ("fraction", b"42.0")):
        yield case(name, "refuse", origin + b"\n" + size + b"\n" + digest + b"\n")
    yield case("extension_line", "refuse", good + b"an extension\n")
    yield case("empty_line_behind", "refuse", good + b"\n")
    yield case("carriage_returns", "refuse", good.replace(b"\n", b"\r\n"))
    yield case("last_newline_missing", "refuse", good[:-1])
    yield case("two_lines", "refuse", origin + b"\n42\n")
    yield case("no_origin", "refuse", b"\n42\n" + digest + b"\n")
    yield case("origin_with_blank", "refuse", b"entente v1\n42\n" + digest + b"\n")
    yield case("origin_with_plus", "refuse", b"entente+v1\n42\n" + digest + b"\n")
    yield case("root_unpadded", "refuse", origin + b"\n42\n" + digest.rstrip(b"=") + b"\n")
    stray = digest[:-2] + (b"9" if digest[-2:-1] == b"8" else b"B") + b"="
    yield case("root_with_stray_bits", "refuse", origin + b"\n42\n" + stray + b"\n")
    yield case("root_short", "refuse", origin + b"\n42\n" + base64.b64encode(bytes(31)) + b"\n")
    yield case("root_long", "refuse", origin + b"\n42\n" + base64.b64encode(bytes(33)) + b"\n")
    yield case("root_web_safe", "refuse",
               origin + b"\n42\n" + base64.urlsafe_b64encode(b"\xff" * 32) + b"\n")
    yield case("nothing", "refuse", b"")


# ---- notes: the log's own signature among others

NOTE_SEED = bytes(range(1, 33))


def signature_line(name, public, signature, kind=b"\1"):
    blob = sha256(name, b"\n" + kind, public)[:4] + signature
    return "\u2014 ".encode() + name + b" " + base64.b64encode(blob) + b"\n"


def judge_note(log, public, note):
    text, separator, lines = note.partition(b"\n\n")
    text += b"\n"
    origin = b"entente/v1/" + log.hex().encode()
    if not separator or not judge_checkpoint(text) or text.split(b"\n")[0] != origin:
        return False
    own = sha256(origin, b"\n\1", public)[:4]
    if not lines.endswith(b"\n"):
        return False
    held = False
    for line in lines[:-1].split(b"\n"):
        parts = line.split(b" ")
        if len(parts) != 3 or parts[0] != "\u2014".encode() or not parts[1]:
            return False
        if any(c <= 0x20 or c >= 0x7F or c == ord("+") for c in parts[1]):
            return False
        try:
            blob = base64.b64decode(parts[2], validate=True)
        except ValueError:
            return False
        if len(blob) < 5 or base64.b64encode(blob) != parts[2]:
            return False
        if parts[1] != origin or blob[:4] != own:
            continue
        if not judge_ed25519(public, text, blob[4:]):
            return False
        held = True
    return held


def note_cases():
    log = b"L" * 32
    origin = b"entente/v1/" + log.hex().encode()
    text = origin + b"\n42\n" + base64.b64encode(bytes(range(32))) + b"\n"
    public, signature = sign(NOTE_SEED, text)
    line = signature_line(origin, public, signature)
    other_public, other = sign(bytes(range(2, 34)), text)
    bad = signature[:-1] + bytes([signature[-1] ^ 1])
    case = lambda name, verdict, note, l=log: (verdict, "note." + name, "note",
                                               {"log": l, "public": public, "note": note})
    yield case("good", "accept", text + b"\n" + line)
    yield case("signed_twice_the_same", "accept", text + b"\n" + line + line)
    yield case("another_signer_beside", "accept",
               text + b"\n" + signature_line(b"a-witness", other_public, other) + line)
    yield case("signed_twice_once_wrongly", "refuse",
               text + b"\n" + line + signature_line(origin, public, bad))
    yield case("signed_twice_first_wrongly", "refuse",
               text + b"\n" + signature_line(origin, public, bad) + line)
    yield case("another_signer_alone", "refuse",
               text + b"\n" + signature_line(origin, other_public, other))
    yield case("key_hash_of_another_name", "refuse",
               text + b"\n" + signature_line(b"a-witness", public, signature))
    yield case("cosignature_type", "refuse",
               text + b"\n" + signature_line(origin, public, signature, b"\4"))
    yield case("another_log", "refuse", text + b"\n" + line, b"M" * 32)
    yield case("no_signature", "refuse", text + b"\n")
    yield case("no_empty_line", "refuse", text + line)
    yield case("text_alone", "refuse", text)
    yield case("carriage_returns", "refuse", (text + b"\n" + line).replace(b"\n", b"\r\n"))
    yield case("last_newline_missing", "refuse", text + b"\n" + line[:-1])
    yield case("plain_hyphen", "refuse",
               text + b"\n" + line.replace("\u2014".encode(), b"-"))
    yield case("empty_line_between", "refuse", text + b"\n" + line + b"\n" + line)
    yield case("extension_line", "refuse", text + b"an extension\n\n" + line)
    blob = base64.b64encode(sha256(origin, b"\n\1", public)[:4] + signature + b"\0")
    yield case("signature_extended", "refuse",
               text + b"\n" + "\u2014 ".encode() + origin + b" " + blob + b"\n")


JUDGES = {"ed25519": judge_ed25519, "x25519": judge_x25519,
          "box": lambda secret, sealed: open_box(secret, sealed) is not None,
          "body": judge_body, "slot": judge_slot,
          "inclusion": lambda leaf, index, size, path, root: judge_inclusion(leaf, index, size,
                                                                            path, root),
          "checkpoint": judge_checkpoint, "note": judge_note}
CASES = (ed25519_cases, x25519_cases, box_cases, body_cases, slot_cases, inclusion_cases,
         checkpoint_cases, note_cases)


def computed():
    out = ("# What must be refused, beside what must be accepted: verdict, name, primitive, fields "
           "in\n# hexadecimal. Written and judged by negative.py; our own code judges it in "
           "negative_test.cc.\n")
    for cases in CASES:
        for verdict, name, primitive, fields in cases():
            parts = [f"{key}={value.hex()}" for key, value in fields.items()]
            out += " ".join([verdict, name, primitive] + parts) + "\n"
    return out


def main():
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(computed())
        return
    text = FILE.read_text()
    if text != computed():
        sys.exit("negative.txt is not what negative.py --write makes")
    counts = {"accept": 0, "refuse": 0}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        verdict, name, primitive, *fields = line.split(" ")
        values = {key: bytes.fromhex(value) for key, value in (f.split("=") for f in fields)}
        if JUDGES[primitive](**values) != (verdict == "accept"):
            sys.exit(f"{name}: should be {verdict}ed")
        counts[verdict] += 1
    print(f"agrees: {counts['accept']} accepted, {counts['refuse']} refused")


if __name__ == "__main__":
    main()
