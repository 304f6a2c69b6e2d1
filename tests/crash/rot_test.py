"""Bytes that rot: one byte of one file of a node's folder is another one. Either the node refuses to
start and names the file, or nothing is missing and everything verifies, or (for a file that came as
evidence) reading it is refused. It never opens with less, and never shows other bytes. G6, S5.

Each trial is a fresh copy of one folder, left behind by a node that was killed; offsets follow from
a seed. The other node is down: what is there is there without help."""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import rig

# Nothing is kept in these: addresses for programs, and files that are only locked.
NOTHING_KEPT = {"api.address", "api.sock", "OWNER", "LOCK", "node.conf"}


def kind_of(path):
    """What an operator would call this file."""
    name = path.name
    for start, kind in (("MANIFEST-", "manifest"), ("OPTIONS-", "options"), ("CURRENT", "current"),
                        ("IDENTITY", "identity"), ("STORE", "marker"), ("anchor", "anchor"),
                        ("keystore", "keystore")):
        if name.startswith(start):
            return kind
    return {".log": "write-ahead log", ".sst": "table", ".blob": "evidence file",
            ".tree": "tree of an evidence file"}.get(path.suffix, name)


class Trial:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.fleet = rig.Fleet.make_new(codes=("XA", "XB"), prefix="entente-rot-")
        fleet = self.fleet
        self.content = self.dice.randbytes(2_300_000)
        (fleet.folder / "film.bin").write_bytes(self.content)
        self.film = fleet.run("XA", "evidence", "add", fleet.folder / "film.bin", "--measure",
                              "surveillance", "--audience", "XA,XB", quiet=True).stdout.strip()
        for number in range(12):
            fleet.note("XA", f"before the restart {number}", "XA", "XB")
        fleet.stop("XA")  # the next start makes tables of what the logs hold
        fleet.start("XA")
        fleet.wait_ready("XA")
        for number in range(12):
            fleet.note("XA", f"after it {number}", "XA")
        fleet.wait_in_sync()
        self.texts = sorted(fleet.listed("XA"))
        self.entries = fleet.ask("XA", "log", "verify")["entries"]
        fleet.stop("XA", signal.SIGKILL)
        fleet.stop("XB")
        self.home, self.pristine = fleet.folder / "XA", fleet.folder / "pristine"
        shutil.copytree(self.home, self.pristine, symlinks=True,
                        ignore=lambda _, names: {n for n in names if n == "api.sock"})

    def files(self):
        by_kind = {}
        for path in sorted(self.pristine.rglob("*")):
            if path.is_file() and path.name not in NOTHING_KEPT and path.stat().st_size > 0:
                by_kind.setdefault(kind_of(path), []).append(path.relative_to(self.pristine))
        return by_kind

    def restore(self):
        self.fleet.stop("XA", signal.SIGKILL)
        shutil.rmtree(self.home)
        shutil.copytree(self.pristine, self.home)

    def flip(self, file, offset):
        with open(self.home / file, "r+b") as rotten:
            rotten.seek(offset)
            byte = rotten.read(1)[0]
            rotten.seek(offset)
            rotten.write(bytes([byte ^ (1 << self.dice.randrange(8))]))

    def starts(self):
        """None, or what the node said when it refused."""
        log = self.fleet.folder / "XA.log"
        before = log.stat().st_size
        self.fleet.start("XA")
        process = self.fleet.processes["XA"]
        while not (self.home / "api.address").exists():
            if process.poll() is not None:
                return log.read_bytes()[before:].decode(errors="replace")
            time.sleep(0.01)
        return None

    def verdict(self, file):
        """How it went, as a word for the table; Broken when a promise was not kept."""
        refusal = self.starts()
        if refusal is not None:
            if file.name not in refusal:
                raise rig.Broken(f"refused without naming {file}: {refusal}")
            return "refused"
        try:
            texts = sorted(self.fleet.listed("XA"))
        except subprocess.CalledProcessError as error:
            if self.fleet.processes["XA"].wait(timeout=20) == 0 or file.name not in (
                    said := self.fleet.tail("XA")):
                raise rig.Broken(f"reading failed without naming {file}: {error.stderr}") from None
            return "stopped" if said else ""
        if texts != self.texts:
            raise rig.Broken(f"opened with {len(texts)} of {len(self.texts)} notes, silently, "
                             f"after a byte of {file} had changed")
        verified = self.fleet.ask("XA", "log", "verify")
        if not verified["ok"] or verified["entries"] < self.entries:
            raise rig.Broken(f"opened with less, or with what does not verify: {verified}")
        out = self.fleet.folder / "film.out"
        got = self.fleet.run("XA", "evidence", "get", self.film, "--out", out, check=False)
        if got.returncode != 0:
            if out.exists() or kind_of(file) not in ("evidence file", "tree of an evidence file"):
                raise rig.Broken(f"the evidence cannot be read: {got.stderr}")
            return "file refused"
        if hashlib.sha256(out.read_bytes()).digest() != hashlib.sha256(self.content).digest():
            raise rig.Broken(f"other bytes were handed out after a byte of {file} had changed")
        out.unlink()
        return "whole"

    def close(self):
        self.fleet.remove()


def offsets_of(size, count, dice):
    return [0, size - 1, *(dice.randrange(size) for _ in range(count - 2))][:count]


def run(seed, count):
    trial = Trial(seed)
    try:
        for kind, files in trial.files().items():
            outcomes = {}
            for number in range(count):
                file = trial.dice.choice(files)
                size = (trial.pristine / file).stat().st_size
                offset = offsets_of(size, count, trial.dice)[number]
                trial.restore()
                trial.flip(file, offset)
                try:
                    outcome = trial.verdict(file)
                except rig.Broken as broken:
                    raise rig.Broken(f"byte {offset} of {size} of {file} (--seed {seed}): "
                                     f"{broken}") from None
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
            print(f"{kind}: {outcomes}", flush=True)
    finally:
        trial.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="20260305")
    parser.add_argument("--offsets", type=int, default=int(os.environ.get("ENTENTE_OFFSETS", "3")),
                        help="per kind of file")
    args = parser.parse_args()
    run(args.seed, args.offsets)


if __name__ == "__main__":
    try:
        main()
    except rig.Broken as broken:
        sys.exit(f"FAILED: {broken}")
