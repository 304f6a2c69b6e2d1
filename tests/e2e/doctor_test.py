"""`entente node doctor` on real nodes: a well one is well, each trouble is named, with the command
that goes on from there, and looking changes nothing."""

import shlex
import shutil
import subprocess
import unittest

import support


class DoctorTest(support.FederationTest):
    codes = ("XA", "XB")

    def setUp(self):
        # Quiet both ways: what XA still lacks is nothing that others wait for.
        self.f.wait_in_sync()
        self.f.wait_until("nothing is under way",
                          lambda: "CATCHING_UP" not in self.online("XA")[1])

    def online(self, code):
        done = self.f.run(code, "node", "doctor", "--json", check=False)
        return done.returncode, self.findings(done)

    def offline(self, folder, passphrase=None):
        done = self.f.command("node", "doctor", "--offline", "--json", "--data", folder,
                              "--passphrase-file", passphrase or self.f.passphrase, check=False)
        return done.returncode, self.findings(done)

    def copy(self, name):
        """XA's folder as it lies while the node is stopped."""
        folder = self.folder / f"{name}.copy"
        self.f.stop("XA")
        shutil.copytree(self.folder / "XA", folder)
        self.f.start("XA")
        self.f.wait_ready("XA")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    @staticmethod
    def contents(folder):
        return {path.relative_to(folder): path.read_bytes()
                for path in sorted(folder.rglob("*")) if path.is_file()}

    def test_a_node_that_is_well_is_said_to_be_well_running_or_not(self):
        self.assertEqual(self.online("XA"), (support.DONE, {}))
        folder = self.copy("well")
        before = self.contents(folder)
        code, found = self.offline(folder)
        self.assertEqual(code, support.DONE, found)
        # It stands still, so it is not connected; whom it has met it knows.
        self.assertEqual(set(found), {"NOT_CONNECTED"})
        self.assertEqual(self.contents(folder), before)

    def test_a_partner_that_is_away_is_named_and_since_when(self):
        f = self.f
        f.stop("XB")
        f.wait_until("XA has noticed", lambda: "NOT_CONNECTED" in self.online("XA")[1])
        f.note("XA", "for later", "XA", "XB")
        code, found = self.online("XA")
        self.assertEqual(code, support.FAILED)  # what was written is nowhere else
        self.assertEqual(set(found), {"NOT_CONNECTED", "ONLY_HERE"})
        self.assertIn("XB", found["NOT_CONNECTED"]["what"])
        self.assertRegex(found["NOT_CONNECTED"]["why"], r"\d+ entries wait for it")
        # A restart does not make it forget that they have met.
        f.stop("XA")
        f.start("XA")
        f.wait_ready("XA")
        self.assertEqual(set(self.online("XA")[1]), {"NOT_CONNECTED", "ONLY_HERE"})
        f.start("XB")
        f.wait_ready("XB")

    def test_files_that_others_may_read_are_named_and_the_command_mends_it(self):
        keystore = self.folder / "XA" / "keystore"
        keystore.chmod(0o644)
        code, found = self.online("XA")
        self.assertEqual(code, support.FAILED)
        self.assertIn(str(keystore), found["FILE_OPEN"]["what"])
        subprocess.run(shlex.split(found["FILE_OPEN"]["next"]), check=True)
        self.assertEqual(self.online("XA")[0], support.DONE)
        self.assertEqual(keystore.stat().st_mode & 0o777, 0o600)

    def test_a_wrong_passphrase_a_lost_anchor_and_damage_are_told_apart(self):
        folder = self.copy("trouble")
        wrong = self.folder / "wrong-passphrase"
        wrong.touch(mode=0o600)
        wrong.write_text("not this one, surely\n")
        code, found = self.offline(folder, wrong)
        self.assertEqual((code, set(found)), (support.FAILED, {"KEYSTORE"}))

        anchor = (folder / "anchor").read_bytes()
        (folder / "anchor").unlink()
        code, found = self.offline(folder)
        self.assertEqual(code, support.DONE, found)
        self.assertIn("ANCHOR_MISSING", found)

        (folder / "anchor").write_bytes(anchor[:40] + bytes([anchor[40] ^ 1]) + anchor[41:])
        (folder / "anchor").chmod(0o600)
        code, found = self.offline(folder)
        self.assertEqual((code, set(found)), (support.INTEGRITY, {"ANCHOR"}))

        (folder / "anchor").write_bytes(anchor)
        for table in (folder / "db").glob("*.sst"):
            table.write_bytes(bytes(len(table.read_bytes())))
        (folder / "db" / "CURRENT").write_bytes(b"MANIFEST-999999\n")
        code, found = self.offline(folder)
        self.assertEqual((code, set(found)), (support.INTEGRITY, {"STORE"}))


if __name__ == "__main__":
    unittest.main()
