"""Looks at a bundle with other people's rules, none of them ours: BagIt (RFC 8493), signed notes and
checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) and RFC 6962 inclusion. Shares no
code with Entente: hashes from hashlib, Ed25519 from libsodium, and the few message fields needed are
read by their numbers."""

import base64
import ctypes
import ctypes.util
import hashlib
import pathlib
import re
import subprocess
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert sodium.sodium_init() >= 0


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def check_bag(folder):
    """Complete and valid after RFC 8493 §3; raises ValueError with the reason."""
    folder = pathlib.Path(folder)
    if (folder / "bagit.txt").read_bytes() != (
            b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"):
        raise ValueError("bagit.txt is not a declaration of version 1.0")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    payload = {path for path in files if path.startswith("data/")}
    for algorithm in ("sha256", "sha512"):
        listed = read_manifest(folder / f"manifest-{algorithm}.txt")
        if set(listed) != payload:
            raise ValueError(f"manifest-{algorithm}.txt lists other files: "
                             f"{sorted(set(listed) ^ payload)}")
        tags = read_manifest(folder / f"tagmanifest-{algorithm}.txt")
        if any(path.startswith(("data/", "tagmanifest-")) for path in tags):
            raise ValueError("a tag manifest lists what it may not")
        for path, digest in {**listed, **tags}.items():
            if hashlib.new(algorithm, (folder / path).read_bytes()).hexdigest() != digest:
                raise ValueError(f"{path} has another {algorithm}")
    info = dict(line.split(": ", 1) for line in
                (folder / "bag-info.txt").read_text().splitlines())
    octets = sum((folder / path).stat().st_size for path in payload)
    if info["Payload-Oxum"] != f"{octets}.{len(payload)}":
        raise ValueError("the Payload-Oxum is wrong")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", info["Bagging-Date"]):
        raise ValueError("the Bagging-Date is none")
    return info


def read_manifest(path):
    out = {}
    for line in path.read_text().splitlines():
        digest, name = re.fullmatch(r"([0-9a-f]+)[ \t]+(.+)", line).groups()
        if name in out or name.startswith(("/", "~")) or ".." in name.split("/"):
            raise ValueError(f"{path.name}: {name}")
        out[name] = digest
    return out


def fields(message):
    """The fields of a serialized message: number → values, bytes or int."""
    out, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            value = varint()
        elif kind == 2:
            size = varint()
            value = message[at:at + size]
            at += size
        else:
            size = 8 if kind == 1 else 4
            value = message[at:at + size]
            at += size
        out.setdefault(tag >> 3, []).append(value)
    return out


class Note:
    """A signed note: its text, and its signature lines as (name, key hash, signature)."""

    def __init__(self, raw):
        text, signatures = raw.rsplit("\n\n", 1)
        self.text = text + "\n"
        self.lines = []
        for line in signatures.splitlines():
            name, value = re.fullmatch(r"— (\S+) (\S+)", line).groups()
            value = base64.b64decode(value, validate=True)
            self.lines.append((name, value[:4], value[4:]))
        self.origin, size, root = self.text.splitlines()
        self.size, self.root = int(size), base64.b64decode(root, validate=True)


def holds(public, message, signature):
    return sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)),
                                              public) == 0


def key_hash(name, kind, public):
    return sha256(name.encode(), b"\n", bytes([kind]), public)[:4]


def signed_by(note, public):
    """Whether the log's own line is by this key."""
    return any(name == note.origin and short == key_hash(name, 1, public)
               and holds(public, note.text.encode(), signature)
               for name, short, signature in note.lines)


def cosigned_by(note, public):
    """The times at which a cosigner with this key has signed the note."""
    out = []
    for name, short, value in note.lines:
        if short != key_hash(name, 4, public):
            continue
        time = int.from_bytes(value[:8], "big")
        text = f"cosignature/v1\ntime {time}\n{note.text}".encode()
        if holds(public, text, value[8:]):
            out.append(time)
    return out


def root_of_path(leaf, index, size, path):
    """RFC 9162 §2.1.3.2: the root that an inclusion path leads to."""
    first, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ValueError("the path is too long")
        if first & 1 or first == last:
            root = sha256(b"\1", step, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = sha256(b"\1", root, step)
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return root


def check_logs(folder):
    """Verifies every head, cosignature and entry of a bundle; returns how many of each."""
    folder = pathlib.Path(folder)
    proof = fields((folder / "data/proof/bundle.pb").read_bytes())
    log_keys, cosign_keys = [], []
    for portable in proof[9]:
        card = fields(fields(portable)[1][0])
        log_keys.append(card[20][0])
        cosign_keys.append(card[21][0])
    heads = {}
    cosignatures = 0
    for path in (folder / "data/proof/heads").iterdir():
        note = Note(path.read_text())
        if note.origin != f"entente/v1/{path.stem}":
            raise ValueError(f"{path.name} is the head of {note.origin}")
        if not any(signed_by(note, key) for key in log_keys):
            raise ValueError(f"{path.name} is signed by no key of the bundle")
        made = sum(len(cosigned_by(note, key)) for key in cosign_keys)
        if made != len(note.lines) - 1:
            raise ValueError(f"{path.name} has a line that nobody signed")
        cosignatures += made
        heads[path.stem] = note
    entries = 0
    for log in proof[10]:
        for grant in fields(log)[6]:
            grant = fields(grant)
            note = heads[grant[1][0].hex()]
            for entry in grant[4]:
                entry = fields(entry)
                header, body = entry[1][0], entry[2][0]
                if sha256(body) != header[52:84]:
                    raise ValueError("a body is not the one in its header")
                index = int.from_bytes(header[8:16], "big")
                if root_of_path(sha256(b"\0", header), index, note.size,
                                entry.get(3, [])) != note.root:
                    raise ValueError("an entry is not under its head")
                entries += 1
    return len(heads), cosignatures, entries


def check_case_graph(path):
    """As read_case_graph, by the system's own Python: that is where its RDF library is."""
    done = subprocess.run(["/usr/bin/python3", "-B", __file__, path], capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(done.stderr)


def read_case_graph(path):
    """A graph that an RDF library reads, in which everything named is there, and whose types and
    properties are ones of CASE and UCO."""
    import rdflib

    graph = rdflib.Graph()
    graph.parse(path, format="json-ld")
    ours = {node for node in set(graph.subjects()) | set(graph.objects())
            if str(node).startswith("urn:entente:")}
    untyped = [node for node in ours if (node, rdflib.RDF.type, None) not in graph]
    if untyped:
        raise ValueError(f"named and not there: {untyped}")
    roots = ("https://ontology.caseontology.org/case/",
             "https://ontology.unifiedcyberontology.org/uco/", str(rdflib.RDF))
    for _, predicate, _ in graph:
        if not str(predicate).startswith(roots):
            raise ValueError(f"a property of no ontology: {predicate}")
    types = {str(kind).rsplit("/", 1)[-1] for kind in graph.objects(None, rdflib.RDF.type)}
    wanted = {"Investigation", "InvestigativeAction", "ProvenanceRecord", "File", "FileFacet",
              "ContentDataFacet", "Hash", "Organization"}
    if not wanted <= types:
        raise ValueError(f"missing: {wanted - types}")


if __name__ == "__main__":
    read_case_graph(sys.argv[1])
