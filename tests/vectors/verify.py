"""Checks vectors.txt with a second implementation of the formats, written from docs/protocol.md.

Shares no code with Entente: hashes come from hashlib; signatures, boxes and ciphers from libsodium,
called directly. Whoever writes another verifier can start here.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import pathlib
import struct
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert sodium.sodium_init() >= 0
V = {}
for line in (pathlib.Path(__file__).parent / "vectors.txt").read_text().splitlines():
    if not line.startswith("#"):
        name, _, value = line.partition(" ")
        V[name] = bytes.fromhex(value)
JIT, A, B = (bytes(range(first, first + 32)) for first in (0xC0, 0xA0, 0xB0))
BUCKETS = (4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20)


def labelled(label, parts, size=32, key=b""):
    digest = hashlib.blake2b(digest_size=size, key=key)
    digest.update(b"entente/v1/" + label.encode() + b"\0")
    for part in parts:
        digest.update(struct.pack("<Q", len(part)) + part)
    return digest.digest()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def signature_holds(public, message, signature):
    return sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)),
                                              public) == 0


def aead_open(key, nonce, sealed, context):
    out = ctypes.create_string_buffer(max(len(sealed) - 16, 1))
    size = ctypes.c_ulonglong()
    good = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, ctypes.byref(size), None, sealed, ctypes.c_ulonglong(len(sealed)), context,
        ctypes.c_ulonglong(len(context)), nonce, key)
    assert good == 0, "does not open"
    return out.raw[:size.value]


def box_open(secret, sealed):
    public = ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult_base(public, secret)
    out = ctypes.create_string_buffer(len(sealed) - 48)
    assert sodium.crypto_box_seal_open(out, sealed, ctypes.c_ulonglong(len(sealed)), public,
                                       secret) == 0, "the box does not open"
    return out.raw


def padme(n):
    if n < 2:
        return n
    exponent = n.bit_length() - 1
    dropped = exponent - exponent.bit_length()
    mask = (1 << max(dropped, 0)) - 1
    return (n + mask) & ~mask


def check(name, computed):
    if V[name] != computed:
        sys.exit(f"{name}: expected {V[name].hex()}, computed {computed.hex()}")


def labels():
    key = bytes(range(32))
    check("label.h", labelled("example", [b"one", b"", b"three"]))
    check("label.k", labelled("example", [b"one"], key=key))
    check("label.k64", labelled("example", [b"one"], 64, key))


def identities():
    statement = b"entente/v1/statement\0sign\0" + JIT + b"payload"
    check("statement.bytes", statement)
    assert signature_holds(V["statement.public"], statement, V["statement.signature"])
    consonants, vowels = "bdfghjklmnprstvz", "aiou"
    digest = labelled("card", [A])
    words = []
    for i in range(0, 16, 2):
        bits = int.from_bytes(digest[i:i + 2], "big")
        words.append(consonants[bits >> 12] + vowels[bits >> 10 & 3] + consonants[bits >> 6 & 15]
                     + vowels[bits >> 4 & 3] + consonants[bits & 15])
    check("words.text", "-".join(words).encode())
    check("ids.audience", labelled("audience", [JIT, V["ids.salt"], A + B]))
    check("ids.log", labelled("log", [JIT, V["statement.public"], V["ids.audience"],
                                      struct.pack(">I", 1)]))


def entries():
    sealed, header = V["body.sealed"], V["body.header"]
    part = struct.pack(">BBHIQI", 1, 1, 0, 1, 1, len(sealed)) + V["ids.log"]
    check("body.header", part + sha256(sealed))
    both = labelled("body", [part], 64, V["body.key"])
    assert both[32:] == sealed[24:56], "the body commits to another key"
    plain = aead_open(both[:32], sealed[:24], sealed[56:], b"entente/v1/body\0" + part)
    size = int.from_bytes(plain[:4], "big")
    check("body.plain", plain[4:4 + size])
    assert len(plain) == max(256, padme(4 + size)) and not any(plain[4 + size:])
    check("body.leaf", sha256(b"\0", header))


def subtree(depth, prefix):
    node = V["tree.seed"]
    for level in range(depth):
        node = labelled("tree", [bytes([prefix >> (depth - 1 - level) & 1])], key=node)
    return node


def keys():
    check("tree.leaf0", subtree(14, 0))
    check("tree.leaf12345", subtree(14, 12345))
    check("tree.right_half", subtree(1, 1))
    check("tree.commit", labelled("epoch", [V["ids.log"], struct.pack(">I", 1), V["tree.seed"]]))
    check("slot.key_id", labelled("slot", [V["slot.public"]])[:8])
    context = labelled("slot", [V["ids.log"], struct.pack(">I", 1), B, V["slot.key_id"],
                                V["slot.author_card"]])
    assert box_open(V["slot.secret"], V["slot.box"]) == V["tree.seed"] + context


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1", root(leaves[:split]), root(leaves[split:]))


def heads():
    leaves = [sha256(bytes((i + j) % 256 for j in range(32))) for i in range(5)]
    check("merkle.root5", root(leaves))
    check("merkle.range1to5", leaves[1] + root(leaves[2:4]) + leaves[4])
    origin = f"entente/v1/{V['ids.log'].hex()}"
    text = f"{origin}\n5\n{base64.b64encode(V['merkle.root5']).decode()}\n".encode()
    note_text, line = V["head.note"].split(b"\n\n")
    assert note_text + b"\n" == text
    dash, name, blob = line.decode().split(" ")
    raw = base64.b64decode(blob)
    assert (dash, name) == ("\u2014", origin)
    assert raw[:4] == sha256(origin.encode(), b"\n\x01", V["statement.public"])[:4]
    assert signature_holds(V["statement.public"], text, raw[4:])
    _, name, blob = V["head.cosignature"].decode().rstrip("\n").split(" ")
    raw = base64.b64decode(blob)
    assert name == f"entente/v1/cosigner/{B.hex()}"
    assert raw[:4] == sha256(name.encode(), b"\n\x04", V["head.cosigner_public"])[:4]
    assert int.from_bytes(raw[4:12], "big") == 1_800_000_000
    signed = b"cosignature/v1\ntime 1800000000\n" + text
    assert signature_holds(V["head.cosigner_public"], signed, raw[12:])


def files():
    plain = V["file.plain"]
    both = labelled("file", [struct.pack(">QI", len(plain), 256)], 64, V["file.key"])
    check("file.commit", both[32:])
    opened = b""
    for i, chunk in enumerate((V["file.chunk0"], V["file.chunk1"])):
        nonce = struct.pack(">QB", i, i == 1) + bytes(15)
        opened += aead_open(both[:32], nonce, chunk, both[32:])
    assert len(opened) == 256 + padme(len(plain) - 256)
    check("file.plain", opened[:len(plain)])
    leaves = [sha256(b"\0", V[f"file.chunk{i}"]) for i in range(2)]
    check("file.blob_id", root(leaves))


def parcel():
    shared = ctypes.create_string_buffer(32)
    assert sodium.crypto_box_beforenm(shared, V["slot.public"], V["mailbox.secret"]) == 0
    check("mailbox.id", labelled("mailbox", [b"id", B, A], key=shared.raw))
    check("mailbox.deposit_seed", labelled("mailbox", [b"deposit", B, A], key=shared.raw))
    sealed = V["parcel.sealed"]
    assert sealed[0] == 1 and len(sealed) == BUCKETS[sealed[1]] and sealed[2:34] == V["mailbox.id"]
    header, box = sealed[:34], sealed[34:34 + 64 + 48]
    key = box_open(V["slot.secret"], box)
    assert key[32:] == labelled("parcel", [B, V["slot.key_id"]])
    content = secretstream(sealed, key[:32])
    check("parcel.body", content[4:4 + int.from_bytes(content[:4], "big")])


def secretstream(sealed, key):
    header, stream, rest = sealed[:34], sealed[146:170], sealed[170:]
    state = ctypes.create_string_buffer(sodium.crypto_secretstream_xchacha20poly1305_statebytes())
    assert sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, stream, key) == 0
    content, tag = b"", ctypes.c_ubyte()
    while rest:
        push, rest = rest[:(64 << 10) + 17], rest[(64 << 10) + 17:]
        out = ctypes.create_string_buffer(len(push))
        size = ctypes.c_ulonglong()
        assert sodium.crypto_secretstream_xchacha20poly1305_pull(
            state, out, ctypes.byref(size), ctypes.byref(tag), push,
            ctypes.c_ulonglong(len(push)), header, ctypes.c_ulonglong(len(header))) == 0
        content += out.raw[:size.value]
    assert tag.value == 3, "the last push is not marked as the last"
    return content

def secrets():
    shared = V["secret.shared"]
    check("secret.notice", labelled("slot-psk", [b"held", A, B], key=shared))
    place = [V["ids.log"], struct.pack(">I", 1), B, V["slot.key_id"], V["slot.author_card"]]
    inside = box_open(V["slot.secret"], V["secret.slot"])
    assert len(V["secret.slot"]) == 48 + 24 + 64 + 16
    key = labelled("slot-psk", [b"slot"] + place, key=shared)
    assert aead_open(key, inside[:24], inside[24:], b"") == V["tree.seed"] + labelled("slot", place)
    sealed = V["secret.parcel"]
    box = box_open(V["slot.secret"], sealed[34:146])
    assert box[32:] == labelled("parcel", [B, V["slot.key_id"], b"shared"])
    stream_key = labelled("parcel", [box[:32]], key=shared)
    content = secretstream(sealed, stream_key)
    assert content[4:4 + int.from_bytes(content[:4], "big")] == b"under a shared secret"
    text = (f"entente-shared-secret-1\nfrom: {A.hex()}\nto: {B.hex()}\n"
            f"secret: {base64.b64encode(shared).decode()}\n")
    check("secret.file", text.encode())


def anchor():
    def draw(use, place):
        return labelled("anchor", [use, struct.pack(">I", place)], key=V["anchor.secret"])

    heads = [(V["ids.log"], 5, V["anchor.head_root"]), (bytes(32), 1, sha256(b"another root"))]
    order = sorted(range(1024), key=lambda place: draw(b"place", place))
    leaves = [draw(b"blank", place) for place in range(1024)]
    for place, (log, size, its_root) in zip(order, heads):
        leaves[place] = sha256(b"\0", draw(b"salt", place)[:16], log, struct.pack(">Q", size),
                               its_root)
    check("anchor.root", root(leaves))
    check("anchor.position", struct.pack(">I", order[0]))
    check("anchor.salt", draw(b"salt", order[0])[:16])
    # The way a stranger checks it: leaf, place and path alone.
    node, place = leaves[order[0]], order[0]
    for level in range(10):
        step = V["anchor.path"][32 * level:32 * level + 32]
        node = sha256(b"\1", step, node) if place >> level & 1 else sha256(b"\1", node, step)
    check("anchor.root", node)


def grants():
    nodes = b"".join(struct.pack(">II", depth, prefix) + subtree(depth, prefix)
                     for depth, prefix in ((14, 3), (13, 2), (14, 6)))
    check("grant.nodes", nodes)


def proto_fields(message):
    """Field number -> value of a protobuf message of integers and byte strings."""
    out, i = {}, 0

    def varint():
        nonlocal i
        value = shift = 0
        while True:
            byte = message[i]
            i += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while i < len(message):
        tag = varint()
        if tag & 7 == 0:
            out[tag >> 3] = varint()
        else:
            assert tag & 7 == 2
            size = varint()
            out[tag >> 3] = message[i:i + size]
            i += size
    return out


def box_key():
    notice = V["box_key.notice"]
    signed = b"entente/v1/statement\0box-key\0" + bytes(32) + notice
    assert signature_holds(V["box_key.public"], signed, V["box_key.signature"])
    assert not signature_holds(V["box_key.public"], signed[:-1] + b"\0", V["box_key.signature"])
    fields = proto_fields(notice)
    assert fields[1] == B and fields[3] == fields[5] == 1_800_000_000 and fields[6] == 1
    key = proto_fields(fields[4])
    assert key[1] == labelled("slot", [key[2]])[:8] and key[2] == V["slot.public"]


if __name__ == "__main__":
    for section in (labels, identities, entries, keys, heads, files, parcel, box_key, secrets,
                    anchor, grants):
        section()
        print(f"{section.__name__}: agrees")
