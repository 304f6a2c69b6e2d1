"""The runbooks of docs/operations.md, followed word for word: every command of each is run as it
stands there, and nothing is left over. Only the places are others."""

import re
import shlex
import shutil
import subprocess
import unittest

import support

OTHERS = ("XB", "XC", "EJ")
DOCUMENT = support.ROOT / "docs" / "operations.md"


def runbooks():
    """Heading → its blocks of commands, in order."""
    out = {}
    for section in re.split(r"^## ", DOCUMENT.read_text(), flags=re.M)[1:]:
        heading, text = section.split("\n", 1)
        out[heading] = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    return out


class RunbookTest(support.FederationTest):
    RUNBOOKS = runbooks()

    @property
    def places(self):
        keys = self.folder / "keys"
        return {"/srv/entente": self.folder / "XA", "/srv/relay": self.folder / support.RELAY,
                "/etc/entente/passphrase": self.f.passphrase,
                "/etc/entente/xa.profile": self.f.profiles / "XA.profile",
                "/etc/entente": keys, "/media/safe/root.key": keys / "XA.root",
                "/media/stick": self.stick, "/backup": self.stick}

    def setUp(self):
        self.stick = self.folder / f"stick-{self._testMethodName}"
        self.stick.mkdir()
        self.left = []

    def begin(self, heading):
        self.left = list(self.RUNBOOKS[heading])

    def tearDown(self):
        self.assertEqual(self.left, [], "the runbook goes on, the test does not")

    def follow(self, *bodies, instead=lambda code: {}):
        """Runs the next block on behalf of a person of each body (XA's, if none is named), with
        some words replaced; returns what each command of the last one said."""
        block = self.left.pop(0)
        for code in bodies or ("XA",):
            text = block
            for old, new in instead(code).items():
                self.assertIn(old, text)
                text = text.replace(old, str(new))
            said = [self.type(line, code) for line in text.splitlines()]
        return said

    def type(self, line, at):
        for place, here in self.places.items():
            line = line.replace(place, str(here))
        words = shlex.split(line)
        if words[0] == "entented":
            self.assertEqual(words[1:], ["--data", str(self.folder / at), "--passphrase-file",
                                         str(self.f.passphrase)])
            self.f.start(at)
            self.f.wait_ready(at)
            return ""
        path = f"{self.f.programs}:{self.f.environment()['PATH']}"
        # As at a terminal, but with the answer ready: the words were compared.
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=self.folder,
                              stdin=subprocess.DEVNULL,
                              env={**self.f.environment(), "PATH": path, "ENTENTE_NODE": at})
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout

    def doctor(self, code):
        return self.findings(self.f.run(code, "node", "doctor", "--json", check=False))

    def well(self, code="XA"):
        def quiet():
            found = self.doctor(code)
            return "CATCHING_UP" not in found and all(
                finding["severity"] == "SEVERITY_ADVICE" for finding in found.values())
        self.f.wait_until(f"the node of {code} is well again", quiet)

    def work_goes_on(self, text):
        """Something new by XA to everybody, and an answer by each road."""
        f = self.f
        f.note("XA", f"{text}: by XA", "XA", "XB", "XC")
        f.note("XB", f"{text}: by XB", "XA", "XB")
        f.note("XC", f"{text}: by XC", "XA", "XC")
        self.see(f"{text}: by XA", "XB", "XC")
        self.see(f"{text}: by XB", "XA")
        self.see(f"{text}: by XC", "XA")

    def test_a_backup_is_restored(self):
        f = self.f
        f.note("XA", "before the backup", "XA", "XB", "XC")
        self.see("before the backup", "XB", "XC")
        f.stop("XA")
        self.begin("A backup is made")
        self.follow()
        f.start("XA")
        f.wait_ready("XA")
        f.note("XA", "after the backup", "XA", "XB")
        self.see("after the backup", "XB")
        f.stop("XA")
        shutil.rmtree(self.folder / "XA")

        self.begin("A backup is restored")
        self.assertIn("[ANCHOR_MISSING]", self.follow()[-1])
        self.follow()
        self.see("after the backup", "XA")
        self.well()
        self.assertIn("[RESTORED]", self.follow()[-1])
        self.follow()
        self.assertIn("before the backup", f.notes("XA"))
        self.work_goes_on("restored")

    def test_two_copies_are_running(self):
        f = self.f
        f.note("XA", "while there was one", "XA", "XB", "XC")
        self.see("while there was one", "XB", "XC")
        f.wait_in_sync()
        f.stop("XA")
        copy = self.folder / "XA.copy"
        shutil.copytree(self.folder / "XA", copy)
        f.start("XA")
        f.wait_ready("XA")
        f.note("XA", "by the first", "XA", "XB", "XC")
        self.see("by the first", "XB", "XC")
        f.wait_in_sync()
        f.stop("XA")
        first = self.folder / "XA.first"
        (self.folder / "XA").rename(first)
        copy.rename(self.folder / "XA")
        f.start("XA")
        f.wait_ready("XA")
        f.wait_until("the copy sees that it is one", lambda: "CLONED" in self.doctor("XA"))
        alarm = f.run("XA", "node", "doctor", check=False)
        self.assertEqual(alarm.returncode, support.INTEGRITY)
        self.refused("XA", "note", "add", "by the copy", "--audience", "XA,XB",
                     with_code="CLONED", exit_code=support.REFUSED)
        # The other copy is stopped for good; its folder is erased.
        f.stop("XA")
        shutil.rmtree(self.folder / "XA")
        first.rename(self.folder / "XA")

        self.begin("Two copies are running")
        self.follow()
        self.follow(*OTHERS)
        self.follow()
        self.well()
        self.follow()
        self.assertIn("by the first", f.notes("XA"))
        self.work_goes_on("one again")

    def test_nothing_is_left_but_the_root_key(self):
        f = self.f
        f.note("XA", "by the lost node", "XA", "XB", "XC")
        f.note("XB", "to the lost node", "XA", "XB")
        f.note("XC", "to the lost node, by the relay", "XA", "XC")
        self.see("by the lost node", "XB", "XC")
        f.wait_in_sync()
        words = f.ask("XB", "card", "show", "XA")["card"]["word_string"]
        f.stop("XA")
        shutil.rmtree(self.folder / "XA")
        for gone in (self.folder / "keys" / "anna.moreau.key", self.f.profiles / "XA.profile"):
            gone.unlink()

        self.begin("Nothing is left but the root key")
        held = "/media/stick/xa-held-by-others.card"
        self.follow(*OTHERS, instead=lambda code: {held: f"/media/stick/held-by-{code}.card"})
        given = " ".join(f"--own-card /media/stick/held-by-{code}.card" for code in OTHERS)
        # The demo's nodes look at the relay all the time; this one would every five minutes.
        said = self.follow(instead=lambda code: {
            f"--own-card {held}": f"{given} --relay-pace immediate"})
        self.assertIn(words, said[0])
        self.take_cards()
        self.follow(*OTHERS)
        self.follow()
        for text in ("by the lost node", "to the lost node", "to the lost node, by the relay"):
            self.see(text, "XA")
        self.well()
        self.follow()
        f.stop("XA")
        self.follow()
        self.work_goes_on("recovered")
        self.well()
        self.follow()
        self.assertIn("by the lost node", f.notes("XA"))
        for code in ("XA", "XB", "XC"):
            f.run(code, "log", "verify")

    def take_cards(self):
        """Others' cards, with the words as they were read out by telephone."""
        self.left[:1] = self.left[:1] * len(OTHERS)
        for code in OTHERS:
            card = self.stick / f"{code}.card"
            self.f.run(code, "card", "show", "--out", card)
            words = self.f.ask(code, "card", "show")["card"]["word_string"]
            self.follow(instead=lambda at: {"/media/stick/others.card": f"{card} --words {words}"})


if __name__ == "__main__":
    unittest.main()
