"""The README's first command, on programs that are built already: plays, keeps, starts again."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support


class QuickstartTest(unittest.TestCase):
    def play(self, *words):
        return subprocess.run(
            [sys.executable, "-B", support.ROOT / "deploy/demo/play.py", "--programs",
             support.PROGRAMS, "--once", *map(str, words)], capture_output=True, text=True)

    def test_plays_the_case_and_starts_again_from_what_it_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            first = self.play("--keep", folder)
            self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
            table = first.stdout[first.stdout.index("who sees what"):].splitlines()
            columns = table[0].split()[-5:]
            self.assertEqual(columns, ["XA", "XB", "XC", "EJ", "relay"])
            rows = {line.strip()[:24].strip(): line.split("  ") for line in table}
            self.assertIn("Statement of V-07", rows)
            statement = [cell.strip() for cell in rows["Statement of V-07"] if cell.strip()]
            self.assertEqual(statement[1:], ["reads, 1 file", "-", "-", "-", "-"])
            for code in ("XA", "XB", "XC", "EJ", "relay"):
                self.assertTrue((pathlib.Path(folder) / code).is_dir())
            second = self.play("--keep", folder)
            self.assertEqual(second.returncode, 0, second.stdout + second.stderr)
            again = second.stdout[second.stdout.index("who sees what"):].splitlines()
            self.assertEqual(again[:16], table[:16])

    def test_shares_files_of_any_size_and_bytes_instead(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as own:
            (pathlib.Path(own) / "empty").touch()
            (pathlib.Path(own) / "big.bin").write_bytes(os.urandom(9_000_001))
            done = self.play("--keep", folder, "--evidence", own)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r"big\.bin +reads, 1 file +reads, 1 file +- +- +-")

    def test_an_evidence_folder_that_is_none_is_named(self):
        done = self.play("--evidence", "/nowhere")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nowhere", done.stderr)


if __name__ == "__main__":
    unittest.main()
