"""The life of keys with real processes: fresh ones by command, everything sealed anew in an
emergency, a node renewed from its root key, its old copy refused, and what a thief could read."""

import datetime
import shutil
import subprocess
import time
import unittest

import support


class KeysTest(support.FederationTest):
    def keys(self, code):
        return self.f.ask(code, "node", "status").get("keys", {})

    def number(self, code, name):
        return int(self.keys(code).get(name, 0))

    def settled(self, codes=None):
        def quiet():
            return all(not self.keys(code).get("behind") and not self.number(code, "rekey_debt")
                       and not self.number(code, "old_keys_held") for code in codes or ("XA", "XB"))
        self.f.wait_until("everything sealed to fresh keys, the old ones destroyed", quiet)

    def restart(self, code):
        self.f.stop(code)
        self.f.start(code)
        self.f.wait_ready(code)

    def swap(self, code, folder):
        """Puts `folder` in the place of a stopped node's own, and returns where that is now."""
        aside = self.folder / f"{code}.{time.monotonic_ns()}"
        (self.folder / code).rename(aside)
        folder.rename(self.folder / code)
        return aside

    def renew(self, code, *words):
        keys = self.folder / "keys"
        return self.f.command("node", "renew", "--data", self.folder / code, "--root-key",
                              keys / f"{code}.root", "--passphrase-file", self.f.passphrase,
                              *words).stdout

    def refusals(self, code):
        return {item["code"] for item in
                self.f.ask(code, "sync", "status").get("refusals", [])}

    def test_a_fresh_key_by_command_and_work_goes_on_by_every_road(self):
        f = self.f
        f.run("XA", "node", "rotate")
        f.wait_until("every partner knows it", lambda: not self.keys("XA").get("behind"))
        f.note("XB", "to the fresh key, directly", "XA", "XB")
        f.note("XC", "to the fresh key, through the relay", "XA", "XC")
        f.note("XA", "from XA, afterwards", "XA", "XB", "XC")
        self.see("to the fresh key, directly", "XA")
        self.see("to the fresh key, through the relay", "XA")
        self.see("from XA, afterwards", "XB", "XC")
        self.assertGreaterEqual(self.number("XA", "old_keys_held"), 1)

    def test_in_an_emergency_everything_is_sealed_anew_and_the_old_key_destroyed(self):
        f = self.f
        f.note("XA", "idle since long ago", "XA", "XB")
        self.see("idle since long ago", "XB")
        before = (self.folder / "XB" / "keystore").read_bytes()
        f.run("XB", "node", "rotate", "--emergency")
        f.wait_until("all audiences with XB are sealed anew",
                     lambda: all(self.number(code, "rekey_debt") == 0 for code in f.codes)
                     and not self.keys("XB").get("behind"))
        self.settled(["XB"])
        self.restart("XB")
        f.note("XA", "after the emergency", "XA", "XB")
        self.see("after the emergency", "XB")
        self.assertIn("idle since long ago", f.notes("XB"))
        after = (self.folder / "XB" / "keystore").read_bytes()
        self.assertNotEqual(before, after, "the key file still holds the old key")

    def test_a_renewed_node_goes_on_and_its_old_copy_is_refused(self):
        f = self.f
        f.note("XA", "before the renewal", "XA", "XB", "XC")
        self.see("before the renewal", "XB", "XC")
        f.wait_in_sync()
        words = f.ask("XA", "card", "show")["card"]["word_string"]
        f.stop("XA")
        old = self.folder / "XA.old"
        shutil.copytree(self.folder / "XA", old)
        self.assertIn(words, self.renew("XA", "--keep-tls"))
        f.start("XA")
        f.wait_ready("XA")
        f.note("XA", "after the renewal", "XA", "XB", "XC")
        f.note("XC", "an answer through the relay", "XA", "XC")
        self.see("after the renewal", "XB", "XC", "XA")
        self.see("before the renewal", "XB", "XC", "XA")
        self.see("an answer through the relay", "XA")
        self.assertEqual(f.ask("XB", "card", "show", "XA")["card"]["seq"], 2)
        for code in ("XA", "XB", "XC"):
            f.run(code, "log", "verify")

        f.stop("XA")
        renewed = self.swap("XA", old)
        f.start("XA")
        f.wait_ready("XA")
        f.note("XA", "written by the old copy", "XA", "XB", "XC")
        f.wait_until("XB refuses the old copy",
                     lambda: "REVOKED_CARD" in self.refusals("XB"))
        f.wait_until("XC refuses the old copy's parcels",
                     lambda: "REVOKED_CARD" in self.refusals("XC"))
        f.stop("XA")
        shutil.rmtree(self.swap("XA", renewed))
        f.start("XA")
        f.wait_ready("XA")
        f.note("XA", "and on", "XA", "XB", "XC")
        self.see("and on", "XB", "XC")
        for code in ("XA", "XB", "XC"):
            self.assertNotIn("written by the old copy", f.notes(code))

    def test_with_a_new_tls_key_the_card_is_handed_over_without_new_words(self):
        f = self.f
        card = self.folder / "keys" / "EJ.new.card"
        f.stop("EJ")
        self.renew("EJ", "--card", card)
        f.start("EJ")
        f.wait_ready("EJ")
        f.command("--node", self.folder / support.RELAY, "relay", "admit", card)
        for code in ("XA", "XB"):
            self.assertIn("renewed", f.run(code, "card", "trust", card).stdout)
        # A parcel brings the newer card with it, so XC may be first.
        self.assertRegex(f.run("XC", "card", "trust", card).stdout, "renewed|already trusted")
        f.note("XA", "to the renewed desk", "XA", "EJ")
        self.see("to the renewed desk", "EJ")

    def test_a_running_node_or_another_root_is_not_renewed(self):
        f = self.f
        keys = self.folder / "keys"
        running = f.command("node", "renew", "--data", self.folder / "XB", "--root-key",
                            keys / "XB.root", "--passphrase-file", f.passphrase, check=False)
        self.assertNotEqual(running.returncode, 0)
        f.stop("XB")
        other = f.command("node", "renew", "--data", self.folder / "XB", "--root-key",
                          keys / "XA.root", "--passphrase-file", f.passphrase, check=False)
        self.assertIn("[WRONG_ROOT]", other.stderr)
        f.start("XB")
        f.wait_ready("XB")
        f.note("XB", "as before", "XA", "XB")
        self.see("as before", "XA")

    def test_a_recovery_that_cannot_be_right_leaves_nothing_behind(self):
        f, keys, fresh = self.f, self.folder / "keys", self.folder / "fresh"
        card = keys / "XB-at-XA.card"
        f.run("XA", "card", "show", "XB", "--out", card)

        def recover(*instead, root="XB"):
            words = {"--data": fresh, "--own-card": card, "--root-key": keys / f"{root}.root",
                     "--passphrase-file": f.passphrase, "--user": "new.person",
                     "--user-key": keys / "new.person.key", "--card": keys / "XB.fresh.card"}
            words.update(zip(instead[::2], instead[1::2]))
            flat = [word for name, value in words.items() if value is not None
                    for word in (name, value)]
            done = f.command("node", "recover", *flat, check=False)
            if done.returncode:
                for path in (fresh, keys / "new.person.key", keys / "XB.fresh.card"):
                    self.assertFalse(path.exists(), path)
            return done

        self.assertIn("--own-card is missing", recover("--own-card", None).stderr)
        self.assertIn("[NOT_A_CARD]", recover("--own-card", f.passphrase).stderr)
        self.assertIn("[WRONG_BODY]", recover(root="XA").stderr)
        self.assertIn("[FOLDER_NOT_EMPTY]", f.command(
            "node", "recover", "--data", self.folder / "XA", "--own-card", card, "--root-key",
            keys / "XB.root", "--passphrase-file", f.passphrase, "--user", "new.person",
            check=False).stderr)
        self.assertIn("[FILE_EXISTS]", recover("--user-key", keys / "anna.moreau.key").stderr)
        made = recover()
        self.assertEqual(made.returncode, support.DONE, made.stderr)
        self.assertIn(f.ask("XB", "card", "show")["card"]["word_string"], made.stdout)
        shutil.rmtree(fresh)

    def test_the_offline_doctor_changes_nothing_and_says_once_why_it_cannot_look(self):
        f = self.f
        words = ["node", "doctor", "--offline", "--data", self.folder / "XB",
                 "--passphrase-file", f.passphrase]
        running = f.command(*words, check=False)
        self.assertEqual(running.returncode, support.FAILED)
        self.assertIn("[NODE_RUNS]", running.stderr)
        self.assertNotIn("[NO_DAEMON]", running.stderr)
        alone = self.folder / "alone"
        alone.mkdir()
        shutil.copy2(support.PROGRAMS / "entente", alone)
        without = subprocess.run([alone / "entente", *map(str, words)], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(without.returncode, support.FAILED)
        self.assertIn("[NO_DAEMON]", without.stderr)
        f.stop("XB")
        anchor = (self.folder / "XB" / "anchor").read_bytes()
        told = f.command(*words, check=False).stdout
        self.assertRegex(told, "the node is well|something needs mending|something is not what")
        for code in ("ANCHOR", "ANCHOR_MISSING", "BEHIND", "STORE"):
            self.assertNotIn(f"[{code}]", told)
        self.assertEqual((self.folder / "XB" / "anchor").read_bytes(), anchor)
        f.start("XB")
        f.wait_ready("XB")

    def test_what_a_thief_could_read_is_listed_with_dates(self):
        f = self.f
        exposed = f.note("XA", "readable with the stolen key", "XA", "XB")
        self.see("readable with the stolen key", "XB")
        theft = datetime.datetime.now(datetime.timezone.utc)
        since = theft.strftime("%Y-%m-%dT%H:%M:%SZ")
        f.wait_until("a second has passed since",
                     lambda: time.time() >= theft.timestamp() + 1)
        f.run("XB", "node", "rotate", "--emergency")
        f.wait_until("XA has sealed anew", lambda: self.number("XA", "rekey_debt") == 0
                     and "XB" not in self.keys("XA").get("behind", []))
        safe = f.note("XA", "under the fresh key", "XA", "XB")
        shown = f.run("XA", "node", "exposure", "--body", "XB", "--since", since).stdout
        records = {record["ref"] for record in
                   f.ask("XA", "node", "exposure", "--body", "XB", "--since", since)["records"]}
        self.assertIn(exposed, shown)
        self.assertIn(exposed, records)
        self.assertEqual(safe in records, False)
        self.refused("XA", "node", "exposure", "--body", "XB", "--since", "2999-01-01",
                     with_code="BAD_DATE", exit_code=support.USAGE)


if __name__ == "__main__":
    unittest.main()
