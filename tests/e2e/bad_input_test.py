"""Bad input: each a clear error that names what is wrong and what to do; nothing half-written."""

import os
import pathlib
import subprocess
import threading
import unittest

import support
from support import CONFLICT, DONE, FAILED, NOT_FOUND, REFUSED, UNREACHABLE, USAGE

HOSTILE = "Report \u202eexe.fdp\u2066 \x1b[31mred"


class BeforeTheAgreementTest(support.FederationTest):
    codes = ("XA", "XB")
    agreed = False

    def test_nothing_opens_before_every_party_has_signed(self):
        f = self.f
        file = self.folder / "a.txt"
        file.write_text("a")
        words = ("evidence", "add", file, "--measure", "x", "--audience", "XA,XB")
        self.refused("XA", *words, with_code="NO_JIT", exit_code=NOT_FOUND)
        f.run("XA", "agreement", "propose", "--code-name", "LANTERN", "--purpose", "Trafficking",
              "--legal-basis", "fd2002-465", "--from", f.day(-1), "--to", f.day(300),
              "--offence", "Trafficking", "--party", "XA:anna.moreau:prosecutor",
              "--party", "XB:boris.lind:prosecutor", "--admin", "XA:anna.moreau")
        f.run("XA", "agreement", "sign")
        f.wait_until("the proposal at XB", lambda: f.versions("XB", "SIGNING"))
        self.refused("XA", *words, with_code="NOT_IN_FORCE", exit_code=REFUSED)
        self.assertEqual(f.evidence("XA"), {})
        f.run("XB", "agreement", "sign")
        f.wait_until("in force", lambda: f.versions("XA", "IN_FORCE"))
        f.run("XA", *words)

    def test_an_agreement_that_the_law_does_not_allow_is_refused(self):
        f = self.f
        good = ["agreement", "propose", "--code-name", "OTHER", "--purpose", "x", "--offence", "x",
                "--legal-basis", "fd2002-465", "--from", f.day(-1), "--to", f.day(300),
                "--party", "XA:anna:prosecutor", "--party", "XB:boris:prosecutor",
                "--admin", "XA:anna"]

        def without(flag):
            at = good.index(flag)
            return good[:at] + good[at + 2:]
        for words, code in (
                (without("--admin"), "NO_ADMIN"),
                (without("--legal-basis"), "NO_LEGAL_BASIS"),
                (without("--to") + ["--to", f.day(-5)], "BAD_PERIOD"),
                (good + ["--party", "XZ:zoe:prosecutor"], "UNKNOWN_PARTY"),
                (good[:-2] + ["--admin", "XZ:zoe"], "UNKNOWN_PARTY")):
            done = f.run("XA", *words, check=False)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(f"[{code}]", done.stderr)


class BadInputTest(support.FederationTest):
    codes = ("XA", "XB", "XC")

    def path(self, name, content=b"content"):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def test_an_unknown_body_is_named(self):
        said = self.refused("XA", "evidence", "add", self.path("u"), "--measure", "x",
                            "--audience", "XA,XQ", with_code="UNKNOWN_PARTY", exit_code=NOT_FOUND)
        self.assertIn("XQ", said)

    def test_a_card_whose_words_differ_is_not_trusted(self):
        f = self.f
        f.command("node", "init", "--data", self.folder / "XD", "--body", "XD", "--name", "Dorland",
                  "--user", "dora", "--user-key", self.folder / "dora.key", "--root-key",
                  self.folder / "xd.root", "--passphrase-file", f.passphrase, "--listen", "none",
                  "--profile", f.profiles / "XD.profile")
        f.start("XD")
        f.wait_ready("XD")
        card = self.folder / "XD.card"
        f.run("XD", "card", "show", "--out", card)
        wrong = f.ask("XB", "card", "show")["card"]["word_string"]
        self.refused("XA", "card", "trust", card, "--words", wrong, with_code="WORDS_DIFFER",
                     exit_code=REFUSED)
        altered = card.read_text().splitlines()
        line = altered[-1]
        altered[-1] = line[:40] + ("A" if line[40] != "A" else "B") + line[41:]
        bad = self.folder / "bad.card"
        bad.write_text("\n".join(altered) + "\n")
        self.refused("XA", "card", "trust", bad, with_code="NOT_A_CARD", exit_code=USAGE)
        self.assertNotIn("XD", {c["code"] for c in f.ask("XA", "card", "list")["cards"]})
        # A card that was never trusted opens nothing: not even an agreement can name it.
        done = f.run("XA", "task", "assign", "--to", "XD", "--title", "t", check=False)
        self.assertIn("[UNKNOWN_PARTY]", done.stderr)
        f.stop("XD")

    def test_a_tampered_parcel_changes_nothing(self):
        f = self.f
        disk = self.folder / "parcels"
        disk.mkdir(exist_ok=True)
        f.stop("XB")
        f.note("XA", "for the tampered parcel", "XA", "XB")
        parcel = f.run("XA", "parcel", "export", "--to", "XB", "--out", disk).stdout.split()[0]
        content = bytearray(pathlib.Path(parcel).read_bytes())
        f.start("XB")
        f.wait_ready("XB")
        for at in (0, 1, 10, 40, 200, len(content) - 1):
            content[at] ^= 1
            bad = self.path("bad.parcel", bytes(content))
            content[at] ^= 1
            done = f.run("XB", "parcel", "import", bad, check=False)
            self.assertNotEqual(done.returncode, 0, at)
            self.assertRegex(done.stderr, r"\[[A-Z_]+\]")
        # What was meant for XB opens nowhere else.
        done = f.run("XC", "parcel", "import", parcel, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(f.ask("XB", "log", "verify")["ok"])

    def test_names_with_control_and_bidi_characters_are_harmless(self):
        f = self.f
        done = f.run("XA", "note", "add", HOSTILE, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("[BAD_TEXT]", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("\u202e", done.stderr)
        name = "photo\u202egpj.exe"
        ref = f.run("XA", "evidence", "add", self.path(name), "--title", "photo", "--measure", "x",
                    check=False, quiet=True)
        if ref.returncode == 0:
            shown = f.run("XA", "evidence", "show", ref.stdout.strip()).stdout
            self.assertNotIn("\u202e", shown)
        else:
            self.assertIn("[BAD_TEXT]", ref.stderr)

    def test_an_empty_file_is_evidence_like_any_other(self):
        f = self.f
        ref = f.run("XA", "evidence", "add", self.path("empty.bin", b""), "--measure", "x",
                    "--audience", "XA,XB", quiet=True).stdout.strip()
        f.wait_in_sync()
        out = self.folder / "empty.out"
        f.run("XB", "evidence", "get", ref, "--out", out)
        self.assertEqual(out.read_bytes(), b"")

    def test_what_is_no_plain_file_is_refused(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        self.refused("XA", "evidence", "add", pipe, "--measure", "x", with_code="NOT_A_FILE",
                     exit_code=USAGE)
        self.refused("XA", "evidence", "add", self.folder, "--measure", "x",
                     with_code="NOT_A_FILE", exit_code=USAGE)
        done = self.f.run("XA", "evidence", "add", self.folder / "absent", "--measure", "x",
                          check=False)
        self.assertIn("[NO_SUCH_FILE]", done.stderr)

    def test_a_file_that_changes_while_it_is_read_is_not_registered(self):
        f = self.f
        path = self.folder / "growing.log"
        with open(path, "wb") as out:
            out.truncate(600_000_000)
        before = set(f.evidence("XA"))
        stop = threading.Event()

        def keep_writing():
            with open(path, "r+b") as out:
                while not stop.is_set():
                    out.seek(0)
                    out.write(os.urandom(16))
                    out.flush()
        writer = threading.Thread(target=keep_writing)
        writer.start()
        try:
            said = self.refused("XA", "evidence", "add", path, "--measure", "x",
                                with_code="FILE_CHANGED", exit_code=CONFLICT)
        finally:
            stop.set()
            writer.join()
        self.assertIn("Next:", said)
        self.assertEqual(set(f.evidence("XA")), before)
        path.unlink()

    def test_a_full_disk_is_named_and_nothing_is_half_written(self):
        f = self.f
        # No file of the node may grow beyond 3 MB from now on: the kernel's own refusal.
        process = f.processes["XA"]
        subprocess.run(["prlimit", "--pid", str(process.pid), "--fsize=3000000:"], check=True)
        path = self.path("large.bin", os.urandom(8_000_000))
        before = set(f.evidence("XA"))
        done = f.run("XA", "evidence", "add", path, "--measure", "x", check=False)
        self.assertNotEqual(done.returncode, DONE)
        self.assertIn("[NO_ROOM]", done.stderr)
        self.assertEqual(set(f.evidence("XA")), before)
        subprocess.run(["prlimit", "--pid", str(process.pid), "--fsize=unlimited:"], check=True)
        f.run("XA", "evidence", "add", path, "--measure", "x", "--audience", "XA,XB")
        f.wait_in_sync()
        self.assertTrue(f.ask("XB", "log", "verify")["ok"])

    def test_a_second_process_on_the_same_folder_is_refused(self):
        f = self.f
        done = subprocess.run([f.programs / "entented", "--data", f.folder / "XA",
                               "--passphrase-file", f.passphrase], capture_output=True, text=True)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("another entented is using", done.stderr)
        relay = subprocess.run([f.programs / "entented", "--relay", "--data", f.folder / "relay"],
                               capture_output=True, text=True)
        self.assertEqual(relay.returncode, FAILED)
        self.assertIn("[IN_USE]", relay.stderr)
        self.assertEqual(f.run("XA", "whoami").returncode, 0)

    def test_an_agreement_signed_by_a_stranger_counts_for_nothing(self):
        # XC is no party of this one and does not even learn of it.
        f = self.f
        f.run("XA", "agreement", "propose", "--code-name", "TWO", "--purpose", "x", "--offence",
              "x", "--legal-basis", "fd2002-465", "--from", f.day(-1), "--to", f.day(30),
              "--party", "XA:anna:prosecutor", "--party", "XB:boris:prosecutor",
              "--admin", "XA:anna")
        f.wait_until("the proposal at XB", lambda: any(
            v["agreement"]["code_name"] == "TWO" for v in f.versions("XB", "SIGNING")))
        jit = next(v for v in f.versions("XA", "SIGNING") if v["agreement"]["code_name"] == "TWO")
        done = f.run("XC", "agreement", "sign", "--jit", jit["jit"], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("TWO", f.run("XC", "agreement", "list").stdout)
        self.assertTrue(any(v["jit"] == jit["jit"] for v in f.versions("XA", "SIGNING")))

    def test_a_wrong_passphrase_and_a_wrong_key_file_are_told_apart(self):
        f = self.f
        wrong = self.folder / "wrong"
        wrong.write_text("not the passphrase\n")
        wrong.chmod(0o600)
        f.stop("XC")
        done = subprocess.run([f.programs / "entented", "--data", f.folder / "XC",
                               "--passphrase-file", wrong], capture_output=True, text=True)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("passphrase", done.stderr)
        done = f.run("XC", "whoami", check=False)
        self.assertEqual(done.returncode, UNREACHABLE)
        f.start("XC")
        f.wait_ready("XC")
        done = f.command("--node", f.folder / "XC", "--user-key",
                         f.folder / "keys" / "anna.moreau.key", "whoami", check=False)
        self.assertIn("[SIGN_IN_REFUSED]", done.stderr)


if __name__ == "__main__":
    unittest.main()
