"""No loss: processes are killed at any moment; what was acknowledged is there, and all converge."""

import os
import random
import signal
import threading
import time
import unittest

import support

ROUNDS = int(os.environ.get("ENTENTE_CRASH_ROUNDS", "12"))


class Writer(threading.Thread):
    """Somebody who keeps writing and remembers what was acknowledged."""

    def __init__(self, f, code, audience):
        super().__init__(daemon=True)
        self.f, self.code, self.audience = f, code, audience
        self.acknowledged = set()
        self.going = True
        self.count = 0

    def run(self):
        while self.going:
            text = f"{self.code} wrote {self.count}"
            done = self.f.run(self.code, "note", "add", text, "--audience", self.audience,
                              check=False)
            if done.returncode == 0:
                self.acknowledged.add(text)
            self.count += 1


class CrashTest(support.FederationTest):
    def test_killed_processes_lose_nothing_that_was_acknowledged(self):
        f = self.f
        dice = random.Random(20260301)
        writers = [Writer(f, "XA", "XA,XB,XC"), Writer(f, "XB", "XA,XB"), Writer(f, "XC", "XA,XC")]
        content = dice.randbytes(3_000_000)
        (self.folder / "film.bin").write_bytes(content)
        for writer in writers:
            writer.start()
        items = []
        for round_number in range(ROUNDS):
            if round_number % 4 == 0:
                done = f.run("XB", "evidence", "add", self.folder / "film.bin", "--title",
                             f"film {round_number}", "--measure", "surveillance", "--audience",
                             "XA,XB,XC", check=False, quiet=True)
                if done.returncode == 0:
                    items.append(done.stdout.strip())
            victim = dice.choice(["XA", "XB", "XC", "EJ", support.RELAY])
            time.sleep(dice.uniform(0.0, 0.4))  # the moment is the point; nothing depends on it
            f.stop(victim, signal.SIGKILL)
            f.start(victim)
            f.wait_ready(victim)
        for writer in writers:
            writer.going = False
        for writer in writers:
            writer.join()
        self.assertTrue(items)
        self.assertGreater(sum(len(writer.acknowledged) for writer in writers), 3 * ROUNDS)

        f.wait_in_sync(seconds=240)
        held = {code: f.notes(code) for code in ("XA", "XB", "XC")}
        for writer in writers:
            for code in writer.audience.split(","):
                missing = writer.acknowledged - held[code]
                self.assertEqual(missing, set(), f"{code} lost what {writer.code} was told is safe")
        for code in ("XA", "XC"):
            for ref in items:
                out = self.folder / f"{code}-{ref}"
                f.run(code, "evidence", "get", ref, "--out", out)
                self.assertEqual(out.read_bytes(), content)
        for code in f.codes:
            self.assertTrue(f.ask(code, "log", "verify")["ok"], code)


if __name__ == "__main__":
    unittest.main()
