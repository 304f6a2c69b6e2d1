"""What the end-to-end tests share: a federation of real processes in a folder of its own, driven
through the command line, with a recorder on every connection between them."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "demo"))

import federation  # noqa: E402

RELAY = federation.RELAY
free_port = federation.free_port

PROGRAMS = pathlib.Path(os.environ.get("ENTENTE_PROGRAMS", ROOT / "build/release/bin"))
STORE_DUMP = pathlib.Path(os.environ.get("ENTENTE_STORE_DUMP",
                                         ROOT / "build/release/tests/node/store/store_dump"))

DONE, FAILED, USAGE, REFUSED, NOT_FOUND, CONFLICT, UNREACHABLE, INTEGRITY = range(8)


class Recorder:
    """Stands before a listener: passes bytes on both ways and keeps what it saw."""

    def __init__(self, port, target):
        self.target = target
        self.seen = bytearray()
        self.lock = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.ends = []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.open.is_set():
                    raise OSError
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            self.ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                with self.lock:
                    self.seen += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def pause(self):
        """Cuts what is connected and lets nobody through."""
        self.open.clear()
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends = []

    def resume(self):
        self.open.set()

    def close(self):
        self.listener.close()

    def bytes(self):
        with self.lock:
            return bytes(self.seen)


class Federation(federation.Federation):
    """The same, with shorter words for tests."""

    def agree(self, parties=("XA", "XB", "XC"), *more):
        """A new agreement, or with `--jit NAME` among `more` the next version of one."""
        parties = [code for code in parties if code in self.codes]
        people = {body.code: body.person for body in self.bodies}
        words = ["agreement", "propose", "--code-name", "LANTERN", "--purpose", "Trafficking",
                 "--legal-basis", "fd2002-465", "--from", self.day(-1), "--to", self.day(300),
                 "--offence", "Trafficking", "--admin", f"{parties[0]}:{people[parties[0]]}", *more]
        for code in parties:
            words += ["--party", f"{code}:{people[code]}:prosecutor"]
        if "EJ" in self.codes:
            words += ["--participant", "EJ"]
        self.run(parties[0], *words)
        for code in parties:
            self.wait_until(f"the proposal at {code}", lambda c=code: self.versions(c, "SIGNING"))
            self.run(code, "agreement", "sign")
        for code in (*parties, *(code for code in ("EJ",) if code in self.codes)):
            self.wait_until(f"the agreement in force at {code}",
                            lambda c=code: self.versions(c, "IN_FORCE")
                            and not self.versions(c, "SIGNING"))

    def versions(self, code, state):
        views = self.ask(code, "agreement", "list")["agreements"]
        return [view for view in views if view["state"] == state]

    def note(self, code, text, *audience):
        return self.run(code, "note", "add", text, "--audience", ",".join(audience),
                        quiet=True).stdout.strip()

    def notes(self, code):
        """Texts of all notes that `code` lists."""
        records = self.ask(code, "note", "list", "--limit", "100000")["records"]
        return {record["note"]["text"] for record in records}

    def evidence(self, code):
        return {item["ref"]: item for item in self.ask(code, "evidence", "list")["records"]}

    def dump(self, code):
        """The rows of a stopped node's database: [(key, value)]."""
        out = subprocess.run([STORE_DUMP, self.folder / code / "db", self.folder / code / "keystore",
                              self.passphrase], check=True, capture_output=True, text=True).stdout
        rows = (line.split(" ") for line in out.splitlines())
        return [(bytes.fromhex(row[0]), bytes.fromhex(row[1]) if len(row) > 1 else b"")
                for row in rows]


class FederationTest(unittest.TestCase):
    """One federation for all tests of a class."""

    codes = ("XA", "XB", "XC", "EJ")
    bodies = federation.BODIES
    agreed = True
    federation = Federation  # another kind of it, where processes run differently

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        bodies = [body for body in cls.bodies if body.code in cls.codes]
        cls.f = cls.federation(cls.folder, PROGRAMS, bodies)
        cls.addClassCleanup(cls.f.stop_all)
        cls.prepare()
        cls.f.make()
        cls.configure()
        cls.f.start_all()
        cls.f.introduce()
        if cls.agreed:
            cls.f.agree()

    @classmethod
    def prepare(cls):
        """Before the folders are made."""

    @classmethod
    def configure(cls):
        """After they are made, before anything runs."""

    def see(self, text, *codes):
        for code in codes:
            self.f.wait_until(f"{text!r} at {code}", lambda c=code: text in self.f.notes(c))

    def findings(self, done):
        """What the doctor has said, by code."""
        self.assertTrue(done.stdout, done.stderr)
        found = json.loads(done.stdout).get("findings", [])
        return {finding["code"]: finding for finding in found}

    def refused(self, code, *words, with_code, exit_code):
        """Runs a command that must fail in just this way; returns what it said."""
        done = self.f.run(code, *words, check=False)
        self.assertEqual(done.returncode, exit_code, done.stderr or done.stdout)
        self.assertIn(f"[{with_code}]", done.stderr)
        return done.stderr
