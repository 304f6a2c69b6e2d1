"""Evidence that is registered elsewhere comes in by register, list of hashes, bag or graph: checked
row by row, all of it or nothing, and never twice."""

import csv
import hashlib
import json
import os
import pathlib
import subprocess
import unittest

import outside
import support

ROWS = 400


class ImportTest(support.FederationTest):
    codes = ("XA", "XB")

    def setUp(self):
        self.before = len(self.f.evidence("XA"))
        self.room = self.folder / self.id().rsplit(".", 1)[-1]
        self.room.mkdir()

    def register(self, rows):
        path = self.room / "register.csv"
        with path.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["title", "measure", "kind", "exhibit", "obtained_from", "file",
                             "sha256", "note"])
            writer.writerows(rows)
        return path

    def added(self):
        return len(self.f.evidence("XA")) - self.before

    def rows(self):
        (self.room / "scans").mkdir(exist_ok=True)
        out = []
        for i in range(ROWS):
            name = digest = ""
            if i % 20 == 0:
                content = f"scan {i}\n".encode()
                (self.room / "scans" / f"{i}.txt").write_bytes(content)
                name, digest = f"scans/{i}.txt", hashlib.sha256(content).hexdigest()
            out.append([f"Item {i}, \"so called\"", "house search", "document", f"LS/{i}",
                        "2026-03-01", name, digest, "first line\nsecond line"])
        return out

    def test_a_register_is_checked_whole_and_registered_once(self):
        f = self.f
        rows = self.rows()
        broken = [list(row) for row in rows]
        broken[3][2] = "poem"
        broken[5][4] = "1.3.2026"
        broken[20][6] = "0" * 64
        broken[40][5] = "scans/absent.txt"
        report = self.room / "report.csv"
        said = self.refused("XA", "evidence", "import", self.register(broken), "--report", report,
                            with_code="BAD_REGISTER", exit_code=support.USAGE)
        self.assertIn("4 problems", said)
        with report.open(newline="") as lines:
            found = {(row["line"], row["column"]) for row in csv.DictReader(lines)}
        # Each row has a note of two lines, so the n-th row begins at line 2n.
        self.assertEqual(found, {("8", "kind"), ("12", "obtained-from"), ("42", "file"),
                                 ("82", "file")})
        self.assertEqual(self.added(), 0)

        path = self.register(rows)
        dry = f.run("XA", "evidence", "import", path, "--audience", "XA,XB", "--dry-run").stdout
        self.assertIn(f"all {ROWS} rows can be registered", dry)
        self.assertEqual(self.added(), 0)
        f.run("XA", "evidence", "import", path, "--audience", "XA,XB")
        self.assertEqual(self.added(), ROWS)
        # Once more: nothing twice.
        told = json.loads(f.run("XA", "evidence", "import", path, "--audience", "XA,XB",
                                "--json").stdout)
        self.assertEqual(told, {"rows": str(ROWS), "imported": str(ROWS), "problems": []})
        self.assertEqual(self.added(), ROWS)
        f.wait_until("all of it is at XB", lambda: len(f.evidence("XB")) >= ROWS)
        item = next(item for item in f.evidence("XB").values()
                    if item["evidence"]["exhibit_no"] == "LS/20")
        self.assertEqual(item["title"], "Item 20, \"so called\"")
        self.assertEqual(item["files"][0]["sha256"], rows[20][6])

    def test_a_list_of_hashes_lets_in_only_what_it_lists(self):
        f = self.f
        for name in ("a.bin", "b c.bin"):
            (self.room / name).write_bytes(os.urandom(5000))
        listed = subprocess.run(["sha256sum", "a.bin", "b c.bin"], cwd=self.room, check=True,
                                capture_output=True, text=True).stdout
        path = self.room / "SHA256SUMS"
        path.write_text(listed)
        f.run("XA", "evidence", "import", path, "--measure", "device examination")
        self.assertEqual(self.added(), 2)
        (self.room / "a.bin").write_bytes(b"another one")
        self.refused("XA", "evidence", "import", path, "--measure", "another reason",
                     with_code="BAD_REGISTER", exit_code=support.USAGE)
        self.assertEqual(self.added(), 2)

    def test_what_one_node_exports_another_can_take_in(self):
        f = self.f
        scan = self.room / "scan.pdf"
        scan.write_bytes(b"%PDF-1.4 " + os.urandom(2000))
        ref = f.run("XA", "evidence", "add", scan, "--title", "Ledger", "--measure", "search",
                    "--exhibit", "PN/9", quiet=True).stdout.strip()
        bag = self.room / "bag"
        f.run("XA", "bundle", "export", ref, "--purpose", "trial", "--out", bag)
        outside.check_bag(bag)
        # As a graph: the items with their files.
        f.run("XB", "evidence", "import", bag / "data/provenance.jsonld", "--files", bag,
              "--measure", "received on a disk")
        taken = [item for item in f.evidence("XB").values()
                 if item["evidence"]["exhibit_no"] == "PN/9"]
        self.assertEqual([item["title"] for item in taken], ["Ledger"])
        self.assertEqual(taken[0]["files"][0]["sha256"],
                         hashlib.sha256(scan.read_bytes()).hexdigest())
        # As a bag: every file of it.
        before = len(f.evidence("XB"))
        f.run("XB", "evidence", "import", bag, "--measure", "received on a disk")
        payload = [path for path in (bag / "data").rglob("*") if path.is_file()]
        self.assertEqual(len(f.evidence("XB")) - before, len(payload))
        self.refused("XB", "evidence", "import", self.room, "--measure", "search",
                     with_code="BAD_BAG", exit_code=support.USAGE)


if __name__ == "__main__":
    unittest.main()
