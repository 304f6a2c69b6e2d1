"""What is erased is gone from every disk, with every key to it, and everybody has said so."""

import os
import shutil
import unittest

import support

TITLE = "Statement of Vera Kolb about Harbour Lane"
KEPT = "Register of the exchange"
SEALED_ENTRY, ERASED = 1, 0x80


class ErasureTest(support.FederationTest):
    codes = ("XA", "XB", "XC")

    def add(self, name, title, audience, *more):
        path = self.folder / name
        path.write_bytes(os.urandom(3_000_000))
        return self.f.run("XA", "evidence", "add", path, "--title", title, "--measure", "interview",
                          "--audience", audience, *more, quiet=True).stdout.strip()

    def has(self, code, ref):
        item = self.f.evidence(code).get(ref)
        return item is not None and all(file["state"] == "here" for file in item["files"])

    def answers(self, code, ref):
        record = self.f.ask(code, "evidence", "show", ref)["record"]
        return {answer["body"]: answer["state"] for answer in record["erasure"]["bodies"]}

    def copy_of(self, code):
        """Rows and files of a node as they are now, for a thief who took its disk."""
        self.f.stop(code)
        rows = dict(self.f.dump(code))
        copy = self.folder / f"copy of {code}"
        shutil.copytree(self.folder / code / "blobs", copy)
        self.f.start(code)
        self.f.wait_ready(code)
        return rows, copy

    def test_what_is_erased_is_gone_everywhere_and_everybody_has_said_so(self):
        f = self.f
        ref = self.add("statement.bin", TITLE, "XA,XB", "--keep-until", f.day(-1))
        kept = self.add("register.bin", KEPT, "XA,XB,XC")
        for code in ("XB", "XC"):
            f.wait_until(f"the register at {code}", lambda c=code: self.has(c, kept))
        f.wait_until("the statement at XB", lambda: self.has("XB", ref))
        f.run("XA", "evidence", "release", ref, "--to", "XC", "--purpose", "trial in Corvia")
        f.wait_until("the statement at XC", lambda: self.has("XC", ref))
        f.run("XB", "evidence", "get", ref, "--out", self.folder / "out of Entente")
        f.wait_in_sync()
        f.wait_until("XA knows of the copy", lambda: "accessed" in f.run(
            "XA", "evidence", "show", ref).stdout)
        before = {code: self.copy_of(code) for code in self.codes}
        f.wait_in_sync()

        self.refusals(ref)
        # One of them is away while it happens.
        f.stop("XB")
        self.assertIn("erased", f.run("XA", "evidence", "erase", ref, "--reason",
                                      "Order 12/2026 of the court in Arvenia").stdout)
        for code in ("XA", "XC"):
            f.wait_until(f"{code} has confirmed",
                         lambda c=code: self.answers("XA", ref)[c] == "confirmed")
        self.assertEqual(self.answers("XA", ref)["XB"], "not reached")
        self.assertIn("not every body has confirmed",
                      f.run("XA", "evidence", "certificate", ref).stdout)
        f.start("XB")
        f.wait_ready("XB")
        f.wait_until("XB has confirmed", lambda: self.answers("XA", ref)["XB"] == "confirmed")
        f.wait_until("all know that all have", lambda: all(
            set(self.answers(code, ref).values()) == {"confirmed"} for code in self.codes))
        self.what_people_see(ref, kept)
        f.stop_all()
        self.what_is_on_the_disks(before)

    def refusals(self, ref):
        f = self.f
        preview = f.run("XA", "evidence", "erase", ref, "--dry-run").stdout
        self.assertIn("Copies outside of Entente", preview)
        self.assertIn("nothing was done", preview)
        self.assertIn("XA, XB, XC", preview)
        self.refused("XA", "evidence", "erase", ref, with_code="USAGE", exit_code=2)
        said = self.refused("XB", "evidence", "erase", ref, "--reason", "mine", exit_code=3,
                            with_code="NOT_OWNER")
        self.assertIn("Ask XA to erase it", said)
        self.refused("XA", "evidence", "certificate", ref, with_code="NOT_ERASED", exit_code=3)
        # Contested evidence is kept (Dir. (EU) 2016/680 Art. 16(3)).
        f.run("XA", "evidence", "restrict", ref, "--reason", "contested")
        self.refused("XA", "evidence", "erase", ref, "--reason", "x", with_code="RESTRICTED",
                     exit_code=3)
        f.run("XA", "evidence", "restrict", ref, "--lift", "--reason", "settled")
        self.assertIn(ref, f.run("XA", "evidence", "list", "--due", f.day(0)).stdout)
        self.assertNotIn(ref, f.run("XB", "evidence", "list", "--due", f.day(0)).stdout)
        self.assertIn("REVIEW_DUE", self.findings(f.run("XA", "node", "doctor", "--json",
                                                        check=False)))
        f.wait_in_sync()

    def what_people_see(self, ref, kept):
        f = self.f
        for code in self.codes:
            shown = f.run(code, "evidence", "show", ref).stdout
            self.assertIn("Order 12/2026", shown)
            self.assertNotIn(TITLE, shown)
            self.assertIn("erased", f.run(code, "history", ref).stdout)
            self.assertNotIn(TITLE, f.run(code, "feed", "--json", check=False).stdout)
            verified = f.ask(code, "log", "verify")
            self.assertTrue(verified["ok"], verified)
            self.assertGreater(int(verified["erased"]), 0)
            self.assertTrue(self.has(code, kept))
            out = self.folder / f"register at {code}"
            f.run(code, "evidence", "get", kept, "--out", out)
            self.assertEqual(out.read_bytes(), (self.folder / "register.bin").read_bytes())
            self.assertNotIn("ERASURE_OPEN", self.findings(f.run(code, "node", "doctor", "--json",
                                                                 check=False)))
        self.refused("XB", "evidence", "get", ref, "--out", self.folder / "again", exit_code=4,
                     with_code="NO_FILE")
        self.refused("XA", "evidence", "erase", ref, "--reason", "x", exit_code=3,
                     with_code="ERASED")
        self.refused("XA", "bundle", "export", "--item", ref, "--purpose", "x", "--out",
                     self.folder / "bundle", with_code="ERASED", exit_code=3)
        self.assertNotIn(ref, f.run("XA", "evidence", "list", "--due", f.day(0)).stdout)
        paper = self.folder / "certificate.txt"
        f.run("XA", "evidence", "certificate", ref, "--out", paper)
        self.assertIn("every body has confirmed", paper.read_text())

    def what_is_on_the_disks(self, before):
        """A thief has every disk as it was before, but for the keys that opened what is gone; and
        every disk as it is now, with its keys. Nothing of the one opens anything of the other."""
        after = {code: dict(self.f.dump(code)) for code in self.codes}
        gone = {key for rows in after.values() for key, value in rows.items()
                if key[:1] == b"e" and value[0] == SEALED_ENTRY | ERASED}
        self.assertGreater(len(gone), 3, "the entry, its release, and what others said of it")
        needles = {}
        for code, (rows, blobs) in before.items():
            for key in gone & rows.keys():
                row = rows[key]
                needles[f"sealed text {key.hex()[:20]}"] = row[37:]
                seed = rows.get(b"k" + key[1:33] + row[1:5])
                if seed is not None and len(seed) == 32:
                    needles[f"seed {key.hex()[:20]}"] = seed
            held = {path.name for path in (self.folder / code / "blobs").rglob("*.blob")}
            for path in blobs.rglob("*.blob"):
                if path.name not in held:
                    needles[f"chunk of {path.name[:8]}"] = path.read_bytes()[1000:1064]
        self.assertTrue(any(name.startswith("seed") for name in needles))
        self.assertTrue(any(name.startswith("chunk") for name in needles))
        for code, rows in after.items():
            for name, needle in needles.items():
                self.assertFalse(any(needle in value for value in rows.values()), (code, name))
            for path in (self.folder / code).rglob("*"):
                if path.is_file():
                    raw = path.read_bytes()
                    for name, needle in needles.items():
                        self.assertNotIn(needle, raw, (code, name, str(path)))
            # And the files with a record that is kept are still there.
            self.assertEqual(len(list((self.folder / code / "blobs").rglob("*.blob"))), 1)


if __name__ == "__main__":
    unittest.main()
