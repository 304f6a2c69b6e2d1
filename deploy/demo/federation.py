"""A federation of real processes on loopback: four nodes and a blind relay, each with its own folder,
keys and port, all driven through the command line that people use."""

import datetime
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time

RELAY = "relay"


class Failed(Exception):
    """A command that should have worked did not; the text is what a person can act on."""


def free_port():
    """A port that nobody listens on, and that no outgoing connection is given by the system before
    a node has taken it."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Body:
    def __init__(self, code, name, person, *init):
        self.code, self.name, self.person, self.init = code, name, person, init


BODIES = (
    Body("XA", "Arvenia, National Prosecution Office", "anna.moreau", "--country", "AX"),
    Body("XB", "Borland, Office of the Prosecutor General", "boris.lind", "--country", "BX"),
    Body("XC", "Corvia, Regional Prosecutor", "clara.voss", "--country", "CX", "--relay-only"),
    Body("EJ", "Eurojust, National Desks", "emil.duarte", "--kind", "eurojust", "--role",
         "coordinator"),
)


class Federation:
    def __init__(self, folder, programs, bodies=BODIES):
        self.folder = pathlib.Path(folder).resolve()
        self.programs = pathlib.Path(programs).resolve()
        self.bodies = bodies
        self.profiles = self.folder / "profiles"
        self.passphrase = self.folder / "keys" / "passphrase"
        self.processes = {}

    @property
    def codes(self):
        return [body.code for body in self.bodies]

    def exists(self):
        return (self.folder / RELAY).is_dir()

    def environment(self):
        return {**os.environ, "ENTENTE_PROFILES": str(self.profiles), "ENTENTE_NODE": "",
                "ENTENTE_USER_KEY": ""}

    # ---- making it

    def make(self):
        keys = self.folder / "keys"
        keys.mkdir(mode=0o700, parents=True)
        self.profiles.mkdir()
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text(secrets.token_urlsafe(24) + "\n")
        self.command("relay", "init", "--data", self.folder / RELAY, "--name", "JIT relay",
                     *self.ways_to(None), "--card", keys / "relay.card")
        for body in self.bodies:
            self.command("node", "init", "--data", self.folder / body.code, "--body", body.code,
                         "--name", body.name, "--user", body.person,
                         "--user-key", keys / f"{body.person}.key",
                         "--root-key", keys / f"{body.code}.root",
                         "--passphrase-file", self.passphrase,
                         "--profile", self.profiles / f"{body.code}.profile",
                         "--relay", keys / "relay.card", "--relay-pace", "immediate",
                         *self.ways_to(body), *body.init)

    def ways_to(self, body):
        """Flags that say where a body, or the relay (None), is reached."""
        if body is not None and "--relay-only" in body.init:
            return ()
        return ("--listen", f"127.0.0.1:{free_port()}")

    def introduce(self):
        """Every body trusts every other's card, comparing its words as two people would."""
        cards = self.folder / "keys"
        words = {}
        for code in self.codes:
            self.run(code, "card", "show", "--out", cards / f"{code}.card", quiet=True)
            words[code] = self.ask(code, "card", "show")["card"]["word_string"]
            self.command("--node", self.folder / RELAY, "relay", "admit", cards / f"{code}.card")
        for code in self.codes:
            for other in self.codes:
                if other != code:
                    self.run(code, "card", "trust", cards / f"{other}.card", "--words",
                             words[other])

    # ---- running it

    def launcher(self, name):
        """What goes before the command line of a node's program."""
        return ()

    def start(self, name):
        program, more = self.programs / "entented", ["--passphrase-file", str(self.passphrase)]
        if name == RELAY:
            more = ["--relay"]
        (self.folder / name / "api.address").unlink(missing_ok=True)
        log = open(self.folder / f"{name}.log", "ab")
        # In a session of its own: Ctrl-C is for the one who started all of this.
        self.processes[name] = subprocess.Popen(
            [*self.launcher(name), program, "--data", str(self.folder / name), *more],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()

    def wait_ready(self, name, seconds=60):
        address = self.folder / name / "api.address"
        until = time.monotonic() + seconds
        while not address.exists():
            if self.processes[name].poll() is not None:
                raise Failed(f"{name} stopped at once; the end of its log:\n{self.tail(name)}")
            if time.monotonic() > until:
                raise Failed(f"{name} was not ready within {seconds} s; its log: "
                             f"{self.folder / name}.log")
            time.sleep(0.02)

    def start_all(self):
        for name in [RELAY, *self.codes]:
            self.start(name)
        for name in [RELAY, *self.codes]:
            self.wait_ready(name)

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self):
        for process in self.processes.values():
            process.terminate()
        for name in list(self.processes):
            self.stop(name)

    def dead(self):
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def tail(self, name, lines=12):
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        return "\n".join("  " + line for line in text.splitlines()[-lines:])

    @staticmethod
    def day(offset):
        """A date as people write it, so many days from now."""
        today = datetime.datetime.now(datetime.timezone.utc).date()
        return (today + datetime.timedelta(days=offset)).isoformat()

    # ---- talking to it

    def command(self, *words, check=True, stdin=None):
        """One command line, without a node. Returns the finished process."""
        done = subprocess.run([self.programs / "entente", *map(str, words)], input=stdin,
                              env=self.environment(), capture_output=True, text=True,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise Failed(f"entente {' '.join(map(str, words))}\n  {done.stderr.strip()}")
        return done

    def run(self, code, *words, check=True, quiet=False):
        """A command of a person of `code`."""
        more = ["--quiet"] if quiet else []
        return self.command("--node", code, *more, *words, check=check)

    def ask(self, code, *words):
        """The same, with the answer as data."""
        return json.loads(self.run(code, *words, "--json").stdout)

    def wait_until(self, what, condition, seconds=120):
        until = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if dead := self.dead():
                raise Failed(f"{dead[0]} has stopped:\n{self.tail(dead[0])}")
            if time.monotonic() > until:
                raise Failed(f"{what}: not within {seconds} s")
            time.sleep(0.1)

    def wait_in_sync(self, seconds=180):
        def settled():
            return all(self.ask(code, "sync", "status")["in_sync"] for code in self.codes)
        self.wait_until("everything verified by everyone it is for", settled, seconds)
