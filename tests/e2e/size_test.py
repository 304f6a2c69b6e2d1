"""Small: an idle node's memory, and that of a node moving a file far larger than it."""

import pathlib
import unittest

import support

MIB = 1 << 20


def resident(process):
    """(now, highest) resident bytes of a process."""
    found = {}
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


class SizeTest(support.FederationTest):
    codes = ("XA", "XB")

    def test_an_idle_node_takes_less_than_100_mib(self):
        for code in self.codes:
            now, _ = resident(self.f.processes[code])
            self.assertLess(now, 100 * MIB, code)

    def test_a_5_gib_file_passes_in_constant_memory(self):
        f = self.f
        size = 5 * 1024 * MIB
        free = __import__("shutil").disk_usage(self.folder).free
        if free < 3.5 * size:
            size = int(free / 4)
        path = self.folder / "image.raw"
        with open(path, "wb") as out:
            out.truncate(size)
            out.seek(size // 2)
            out.write(b"in the middle")
        before = {code: resident(f.processes[code])[0] for code in self.codes}
        ref = f.run("XA", "evidence", "add", path, "--kind", "forensic-image", "--measure", "x",
                    "--audience", "XA,XB", quiet=True).stdout.strip()
        peak = dict(before)

        def arrived():
            for code in self.codes:
                peak[code] = max(peak[code], resident(f.processes[code])[0])
            item = f.evidence("XB").get(ref)
            return item is not None and item["files"][0]["state"] == "here"
        f.wait_until("the file at XB", arrived, seconds=600)
        for code in self.codes:
            self.assertLess(peak[code] - before[code], 160 * MIB, code)
        ours, theirs = f.evidence("XA")[ref]["files"][0], f.evidence("XB")[ref]["files"][0]
        self.assertEqual((ours["size"], ours["sha256"]), (str(size), theirs["sha256"]))


if __name__ == "__main__":
    unittest.main()
