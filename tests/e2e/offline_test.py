"""Offline works: a node that was cut off writes on; when it is back, all converge, also through the
relay, through a third member, or from a disk."""

import unittest

import support


class OfflineTest(support.FederationTest):
    def test_a_node_that_was_away_and_those_who_wrote_meanwhile_converge(self):
        f = self.f
        f.stop("XB")
        f.note("XA", "written while XB was away", "XA", "XB")
        f.stop("XA")
        f.start("XB")
        f.wait_ready("XB")
        f.note("XB", "written while XA was away", "XA", "XB")
        f.start("XA")
        f.wait_ready("XA")
        f.wait_in_sync()
        for code in ("XA", "XB"):
            self.assertLessEqual({"written while XB was away", "written while XA was away"},
                                 f.notes(code))
        self.assertFalse(f.notes("XC") & {"written while XB was away", "written while XA was away"})

    def test_what_waits_for_the_relay_is_queued_and_arrives(self):
        f = self.f
        f.stop(support.RELAY)
        ref = f.note("XC", "written while the relay was down", "XA", "XC")
        states = {d["peer"]: d["state"]
                  for r in f.ask("XC", "sync", "status", ref)["records"] for d in r["deliveries"]}
        self.assertEqual(states, {"XA": "queued"})
        f.start(support.RELAY)
        f.wait_ready(support.RELAY)
        f.wait_in_sync()
        self.assertIn("written while the relay was down", f.notes("XA"))

    def test_a_third_member_brings_what_its_author_cannot(self):
        f = self.f
        f.stop("XC")
        text = "written by XA, brought by XB"
        f.note("XA", text, "XA", "XB", "XC")
        f.wait_until("XB has it", lambda: text in f.notes("XB"))
        f.stop("XA")
        f.start("XC")
        f.wait_ready("XC")
        f.wait_until("XC has it from XB", lambda: text in f.notes("XC"))
        f.start("XA")
        f.wait_ready("XA")
        f.wait_in_sync()

    def test_a_parcel_on_a_disk_brings_it_too_and_twice_does_no_harm(self):
        f = self.f
        disk = self.folder / "disk"
        disk.mkdir()
        f.stop("XB")
        text = "carried on a disk"
        f.note("XA", text, "XA", "XB")
        parcels = f.run("XA", "parcel", "export", "--to", "XB", "--out", disk).stdout.split()
        self.assertTrue(parcels)
        f.stop("XA")
        f.start("XB")
        f.wait_ready("XB")
        f.run("XB", "parcel", "import", *parcels)
        self.assertIn(text, f.notes("XB"))
        before = len(f.notes("XB"))
        f.run("XB", "parcel", "import", *parcels)
        self.assertEqual(len(f.notes("XB")), before)
        f.start("XA")
        f.wait_ready("XA")
        f.wait_in_sync()


if __name__ == "__main__":
    unittest.main()
