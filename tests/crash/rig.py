"""What the crash tests share: a federation of real processes with a writer at each node, processes
that are killed on a schedule drawn from a seed, and the oracle that judges what is left."""

import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import support  # noqa: E402

RELAY = support.RELAY
CLIENT = pathlib.Path(os.environ.get("ENTENTE_CRASH_CLIENT",
                                     ROOT / "build/release/tests/crash/crash_client"))
PEOPLE = {body.code: body.person for body in support.federation.BODIES}


class Broken(Exception):
    """A promise was not kept; the text says which."""


class Fleet(support.Federation):
    """A federation whose keystores are cheap to open, so that a restart costs what it costs."""

    @classmethod
    def make_new(cls, codes=("XA", "XB", "XC", "EJ"), prefix="entente-crash-"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        bodies = [body for body in support.federation.BODIES if body.code in codes]
        fleet = cls(folder, support.PROGRAMS, bodies)
        fleet.make()
        for code in fleet.codes:
            subprocess.run([CLIENT, "lighten", folder / code / "keystore", fleet.passphrase],
                           check=True)
        fleet.start_all()
        fleet.introduce()
        fleet.agree()
        return fleet

    def key_of(self, code):
        return self.folder / "keys" / f"{PEOPLE[code]}.key"

    def listed(self, code):
        """Texts of all notes that `code` shows, with repetitions."""
        out = subprocess.run([CLIENT, "list", self.folder / code, self.key_of(code)],
                             capture_output=True, text=True, check=True).stdout
        return out.splitlines()

    def remove(self):
        self.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)


class Writer:
    """Somebody who keeps writing at one node; see crash_client.cc."""

    def __init__(self, fleet, code, audience, seed, pace_ms=20, file_every=0, name=None):
        self.fleet, self.code, self.audience = fleet, code, audience.split(",")
        name = name or code
        self.acks = fleet.folder / f"{name}.acks"
        self.log = open(fleet.folder / f"{name}.writer.log", "ab")
        self.process = subprocess.Popen(
            [CLIENT, "write", str(fleet.folder / code), str(fleet.key_of(code)), name, audience,
             str(self.acks), str(seed), str(pace_ms), str(file_every)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def finish(self):
        """Ends it and returns what it was told is safe: (notes, {ref: sha256})."""
        self.process.terminate()
        result = self.process.wait(timeout=60)
        self.log.close()
        if result != 0:
            raise Broken(f"an answer at {self.code} that no crash explains: "
                         + pathlib.Path(self.log.name).read_text()[-2000:])
        return self.acknowledged()

    def acknowledged(self):
        notes, files = set(), {}
        lines = self.acks.read_text().splitlines() if self.acks.exists() else []
        for line in lines:
            kind, rest = line.split(" ", 1)
            if kind == "note":
                notes.add(rest)
            else:
                ref, digest = rest.split(" ")
                files[ref] = digest
        return notes, files


class Killer(threading.Thread):
    """Starts one process again and again and kills it at moments drawn from a seed: while it
    starts, while it works, while it stops. Some it only freezes for a while."""

    def __init__(self, fleet, name, seed, kills):
        super().__init__(daemon=True)
        self.fleet, self.name, self.kills = fleet, name, kills
        self.dice = random.Random(f"{seed}/{name}")
        self.killed = {"starting": 0, "working": 0, "stopping": 0}
        self.frozen = 0
        self.ready_seconds = []
        self.error = None

    def run(self):
        try:
            for _ in range(self.kills):
                self.once()
            if self.name not in self.fleet.processes:
                self.fleet.start(self.name)
        except Exception as error:  # judged by whoever waits for this thread
            self.error = error

    def once(self):
        kind = self.dice.choices(("starting", "working", "stopping"), (25, 65, 10))[0]
        process = self.fleet.processes[self.name]
        if kind == "starting":
            self.wait(process, self.dice.uniform(0.0, 0.4))
        else:
            self.wait_ready(process)
            # Mostly short, sometimes long enough for files and flushes to be under way.
            self.wait(process, self.dice.choices(
                (self.dice.uniform(0.0, 0.2), self.dice.uniform(0.2, 0.8),
                 self.dice.uniform(0.8, 2.5)), (45, 40, 15))[0])
        if kind == "working" and self.dice.random() < 0.1:
            process.send_signal(signal.SIGSTOP)
            time.sleep(self.dice.uniform(0.05, 1.5))
            if self.dice.random() < 0.5:
                process.send_signal(signal.SIGCONT)
                self.wait(process, self.dice.uniform(0.0, 0.5))
            self.frozen += 1
        if kind == "stopping":
            process.send_signal(signal.SIGTERM)
            time.sleep(self.dice.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        result = process.wait(timeout=30)
        if result not in (-signal.SIGKILL, *((0,) if kind == "stopping" else ())):
            raise Broken(f"{self.name} ended by itself ({result}):\n{self.fleet.tail(self.name)}")
        self.killed[kind] += 1
        self.fleet.start(self.name)

    def wait(self, process, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Broken(f"{self.name} ended by itself:\n{self.fleet.tail(self.name)}")
            time.sleep(0.01)

    def wait_ready(self, process):
        since = time.monotonic()
        address = self.fleet.folder / self.name / "api.address"
        while not address.exists():
            self.wait(process, 0.01)
            if time.monotonic() - since > 120:
                raise Broken(f"{self.name} did not serve within two minutes of its start")
        self.ready_seconds.append(time.monotonic() - since)


def judge_whole(code, texts):
    """No note twice, and of every call all notes or none."""
    calls = {}
    for text in texts:
        writer, call, part, _ = text.split(" ", 3)
        number, count = part.split("/")
        calls.setdefault((writer, call, count), []).append(number)
    for (writer, call, count), numbers in calls.items():
        if sorted(numbers) != [str(i + 1) for i in range(int(count))]:
            raise Broken(f"{code} shows {sorted(numbers)} of the {count} notes of call {call} "
                         f"of {writer}")


def judge_notes(held, acknowledged, audiences):
    """`held` is {code: texts}, `acknowledged` {code: (notes, files)}, `audiences` {code: [codes]}."""
    for code, texts in held.items():
        judge_whole(code, texts)
    for writer, (notes, _) in acknowledged.items():
        for code in audiences[writer]:
            if missing := notes - set(held[code]):
                raise Broken(f"{code} lacks {len(missing)} notes that {writer} was told are safe: "
                             f"{sorted(missing)[:3]}")


def judge(fleet, acknowledged, audiences):
    """Everything that was acknowledged is at everybody it is for, once, and every log verifies."""
    try:
        # A file asked for by parcel of a node that died is asked for again after 15 minutes.
        fleet.wait_in_sync(seconds=1000)
    except support.federation.Failed as failed:
        seen = {code: fleet.run(code, "sync", "status", "--json", check=False).stdout
                for code in fleet.codes}
        raise Broken(f"{failed}; {seen}") from None
    held = {code: fleet.listed(code) for code in fleet.codes}
    judge_notes(held, acknowledged, audiences)
    for writer, (_, files) in acknowledged.items():
        for code in audiences[writer]:
            for ref, digest in files.items():
                judge_file(fleet, code, ref, digest)
    for code in fleet.codes:
        verdict = fleet.ask(code, "log", "verify")
        if not verdict["ok"]:
            raise Broken(f"the logs of {code} do not verify: {verdict}")
    judge_the_judge(held, acknowledged, audiences)


def judge_the_judge(held, acknowledged, audiences):
    """The oracle is shown one lost note, one doubled and one half call, and must object to each."""
    writer, reader = next((w, r) for w in acknowledged for r in audiences[w] if held[r])
    lost = {**acknowledged, writer: (acknowledged[writer][0] | {f"{writer} 0 1/1 never"}, {})}
    text = held[reader][0]
    half = f"{writer} none 1/2 half"
    for wrong_held, wrong_acknowledged in (
            (held, lost), ({**held, reader: [*held[reader], text]}, acknowledged),
            ({**held, reader: [*held[reader], half]}, acknowledged)):
        try:
            judge_notes(wrong_held, wrong_acknowledged, audiences)
        except Broken:
            continue
        raise Broken("the oracle finds nothing wrong with a wrong outcome")


def judge_file(fleet, code, ref, digest):
    out = fleet.folder / f"{code}-{ref}.out"

    def got():
        return fleet.run(code, "evidence", "get", ref, "--out", out, check=False).returncode == 0
    fleet.wait_until(f"the file of {ref} at {code}", got)
    if hashlib.sha256(out.read_bytes()).hexdigest() != digest:
        raise Broken(f"the file of {ref} at {code} is another one")
    out.unlink()
