"""A country that joins later has nothing of the past, then exactly what it is given, as it was
signed; and a body that lost the secret it shares is handed what it could not open."""

import json
import os
import unittest

import support


class GrantsTest(support.FederationTest):
    codes = ("XA", "XB", "XC")
    agreed = False

    def add(self, name, *audience):
        path = self.folder / f"{name}.txt"
        path.write_text(f"what the {name} says\n")
        return self.f.run("XA", "evidence", "add", path, "--title", name, "--measure", "search",
                          "--audience", ",".join(audience), quiet=True).stdout.strip()

    def test_a_late_joiner_gets_exactly_what_was_released_and_handed_on(self):
        f = self.f
        f.agree(("XA", "XB"))
        ledger, letters, diary = (self.add(name, "XA", "XB") for name in ("ledger", "letters",
                                                                          "diary"))
        f.wait_until("XB has all three", lambda: len(f.evidence("XB")) == 3)
        self.refused("XA", "record", "grant", ledger, "--to", "XC", "--basis", "Art. 5",
                     with_code="NOT_A_PARTY", exit_code=support.REFUSED)
        f.agree(("XA", "XB", "XC"), "--jit", "LANTERN")
        self.assertEqual(f.evidence("XC"), {})

        # The preview shows the entry in full, and does nothing.
        shown = f.run("XA", "evidence", "release", letters, "--to", "XC", "--purpose", "trial",
                      "--with-originals", "--dry-run").stdout
        for part in ("letters", "created, as signed by XA", "letters.txt", "search"):
            self.assertIn(part, shown)
        self.assertIn("nothing was done", shown)
        f.run("XA", "evidence", "release", ledger, "--to", "XC", "--purpose", "trial")
        f.run("XA", "evidence", "release", letters, "--to", "XC", "--purpose", "trial",
              "--with-originals")
        f.wait_until("XC has both", lambda: len(f.evidence("XC")) == 2)
        f.wait_until("XC has the original", lambda: self.originals("XC", letters))
        self.assertEqual([item["what"] for item in self.originals("XC", letters)], ["created"])
        self.assertEqual(self.originals("XC", ledger), [])
        history = f.run("XC", "history", letters).stdout
        self.assertIn("as signed by XA", history)
        self.assertNotIn("as signed by XA", f.run("XC", "history", ledger).stdout)
        self.refused("XC", "history", diary, with_code="NOT_HERE", exit_code=support.NOT_FOUND)

        # Later, and by the general command, the rest of what was signed.
        self.refused("XB", "record", "grant", ledger, "--to", "XC", "--basis", "Art. 5",
                     with_code="NOT_OWNER", exit_code=support.REFUSED)
        words = ["record", "grant", ledger, "--to", "XC", "--basis", "Art. 5", "--entry", "1",
                 "--request-id", "the ledger"]
        self.assertIn("handed on", f.run("XA", *words).stdout)
        self.assertEqual(f.run("XA", *words).stdout, "handed on already\n")
        f.wait_until("XC has the other original", lambda: self.originals("XC", ledger))
        self.assertIn("handed on as signed", f.run("XA", "history", ledger).stdout)

        f.stop("XC")
        rows = b"".join(key + value for key, value in f.dump("XC"))
        self.assertNotIn(b"what the diary says", rows)
        self.assertNotIn(b"diary.txt", rows)
        f.start("XC")
        f.wait_ready("XC")
        self.assertEqual(len(self.originals("XC", letters)), 1)  # and after a restart
        self.shared_secret()
        self.proofs(ledger)

    def originals(self, code, ref):
        done = self.f.run(code, "record", "originals", ref, "--json", check=False)
        return json.loads(done.stdout).get("originals", []) if done.returncode == 0 else []

    def standing(self, code, other):
        return self.f.ask(code, "card", "show", other)["card"].get("shared_secret", "")

    def shared_secret(self):
        f = self.f
        path = self.folder / "for-xb.secret"
        made = f.run("XA", "secret", "make", "XB", "--out", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        secret = path.read_text().split("secret: ")[1].strip()
        self.assertNotIn(secret, made.stdout + made.stderr)
        self.refused("XA", "secret", "make", "XB", "--out", self.folder / "again",
                     with_code="SECRET_EXISTS", exit_code=support.CONFLICT)
        self.assertFalse((self.folder / "again").exists())
        f.run("XB", "secret", "take", "XA", path)
        for code, other in (("XA", "XB"), ("XB", "XA")):
            f.wait_until(f"the secret in use at {code}",
                         lambda c=code, o=other: self.standing(c, o) == "in use")
        # A file that cannot be made costs the bodies no secret.
        self.refused("XA", "secret", "make", "XB", "--replace", "--out", path,
                     with_code="FILE_EXISTS", exit_code=support.CONFLICT)
        self.assertEqual(self.standing("XA", "XB"), "in use")
        f.note("XA", "under the secret", "XA", "XB")
        f.wait_until("XB reads it", lambda: "under the secret" in f.notes("XB"))

        # XB loses it while XA cannot know; what XA seals meanwhile is handed over again.
        f.stop("XA")
        f.run("XB", "secret", "drop", "XA")
        f.stop("XB")
        f.start("XA")
        f.wait_ready("XA")
        self.assertEqual(self.standing("XA", "XB"), "in use")
        f.note("XA", "sealed with what XB has lost", "XA", "XB")
        f.start("XB")
        f.wait_ready("XB")
        f.wait_until("XB reads it all the same",
                     lambda: "sealed with what XB has lost" in f.notes("XB"), 240)
        self.assertEqual(int(f.ask("XB", "node", "status")["unreadable_here"]), 0)
        self.assertEqual(self.standing("XA", "XB"), "waiting")

    def proofs(self, ref):
        self.refused("XA", "proof", "make", ref, "--out", self.folder / "ledger.proof",
                     with_code="NOT_YET", exit_code=support.REFUSED)
        other = self.folder / "no.proof"
        other.write_bytes(b"no proof")
        self.refused("XC", "proof", "check", other, with_code="NOT_A_PROOF",
                     exit_code=support.USAGE)


if __name__ == "__main__":
    unittest.main()
