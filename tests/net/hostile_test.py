"""A member that has turned (its keys and card are trusted) does its worst on the wire: the node's
memory and disk stay within their budgets, that peer is cut or throttled with a reason that people
can see, and others' work goes on. Reliability: G16, d-N 4. The budgets: docs/operating.md."""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import support  # noqa: E402
from measure import forget_peak, memory_of, peak_of, size_of  # noqa: E402

PEER = pathlib.Path(os.environ.get("ENTENTE_HOSTILE_PEER",
                                   support.ROOT / "build/release/tests/net/hostile_peer"))
SECONDS = int(os.environ.get("ENTENTE_HOSTILE_SECONDS", "2"))
# docs/operating.md: what one peer can make a node take, with all it has at once.
MEMORY_MAX = 256 << 20
DISK_MAX = 4 << 20

BUDGET = "9"  # RefusalCode


class HostileTest(support.FederationTest):
    codes = ("XA", "XB", "EJ")  # EJ is the one that has turned; only its keys are used
    agreed = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.f.wait_in_sync()
        cls.f.stop("EJ")
        cls.f.note("XA", "x" * 4000, "XA", "XB", "EJ")
        cls.calm = cls.honest_work("before")

    def setUp(self):
        # A process that just started holds nothing against anybody: otherwise what one test spent
        # of the peer's budget would keep the next one outside.
        f = self.f
        f.stop("XA")
        f.start("XA")
        f.wait_ready("XA")
        self.shown_before = self.refusals()

    @classmethod
    def honest_work(cls, name):
        """XB writes, XA has it, XA answers, XB has it. Seconds."""
        f = cls.f
        began = time.monotonic()
        for number in range(2):
            text = f"{name} {number}"
            f.note("XB", text, "XA", "XB")
            f.wait_until("XA has it", lambda t=text: t in f.notes("XA"))
            f.note("XA", text + " too", "XA", "XB")
            f.wait_until("XB has it", lambda t=text: t + " too" in f.notes("XB"))
        return time.monotonic() - began

    def attack(self, mode, workers=1):
        f = self.f
        keys = f.folder / "keys"
        process = f.processes["XA"]
        idle, disk = memory_of(process), size_of(f.folder / "XA")
        forget_peak(process)
        peer = subprocess.Popen(
            [PEER, mode, keys / "XA.card", keys / "EJ.card", f.folder / "EJ" / "keystore",
             f.passphrase, str(SECONDS), str(workers)], stdout=subprocess.PIPE, text=True)
        try:
            busy = self.honest_work(f"during {mode}")
            out, _ = peer.communicate(timeout=SECONDS + 60)
        finally:
            peer.kill()
            peer.wait()
        self.assertEqual(peer.returncode, 0)
        done = json.loads(out)
        peak = peak_of(process)
        grown = size_of(f.folder / "XA") - disk
        print(f"{mode}: {done}; honest work {busy / self.calm:.1f} times as long; memory "
              f"+{(peak - idle) >> 20} MB, disk +{grown >> 10} KB", flush=True)
        self.assertGreater(done["connected"], 0)
        self.assertLess(peak - idle, MEMORY_MAX)
        self.assertLess(grown, DISK_MAX)
        return done

    def refusals(self):
        """How often XA shows to have refused EJ something, by code."""
        out = {}
        for row in self.f.ask("XA", "sync", "status")["refusals"]:
            if row["peer"] == "EJ":
                out[row["code"]] = out.get(row["code"], 0) + int(row["count"])
        return out

    def assert_shown(self, code):
        shown = self.refusals()
        self.assertGreater(shown.get(code, 0), self.shown_before.get(code, 0), shown)

    def test_bytes_that_are_no_message_end_the_session(self):
        self.attack("garbage", workers=2)
        self.assert_shown("MALFORMED")

    def test_messages_beyond_every_limit_are_not_taken(self):
        self.attack("oversize", workers=2)

    def test_a_million_empty_elements_are_not_made_objects(self):
        self.attack("elements", workers=2)
        self.assert_shown("MALFORMED")

    def test_groups_within_groups_are_refused(self):
        self.attack("nested")
        self.assert_shown("MALFORMED")

    def test_whoever_does_not_greet_is_let_go(self):
        self.attack("silence", workers=6)

    def test_half_a_greeting_is_none(self):
        self.attack("half", workers=6)

    def test_a_flood_of_valid_frames_uses_up_a_budget(self):
        done = self.attack("flood")
        self.assertIn(BUDGET, done["refused"])
        self.assert_shown("BUDGET")

    def test_asking_for_everything_and_never_reading_ends_too(self):
        self.attack("wants", workers=2)

    def test_forged_batches_are_refused_and_then_not_even_looked_at(self):
        self.attack("forged")
        self.assert_shown("BUDGET")

    def test_connections_and_streams_are_counted(self):
        self.attack("streams")

    @classmethod
    def tearDownClass(cls):
        # After all of it, the one who turned is an ordinary peer again.
        cls.f.start("EJ")
        cls.f.wait_ready("EJ")
        cls.f.wait_in_sync()
        for code in cls.f.codes:
            if not cls.f.ask(code, "log", "verify")["ok"]:
                raise AssertionError(f"the logs of {code} do not verify")
        super().tearDownClass()


if __name__ == "__main__":
    unittest.main()
