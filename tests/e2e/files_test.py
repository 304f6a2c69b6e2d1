"""Files under control: what comes by itself and what on request, paused and resumed, from several
holders, within caps, over a kill -9 and without the owner; read again, and mended by others."""

import random
import signal
import time
import unittest

import support

federation = support.federation

MIB = 1 << 20
SEALED = MIB + 16  # a chunk on disk
BURST = 12 * MIB   # what may be under way when a cap begins to count


class FilesTest(support.FederationTest):
    codes = ("XA", "XB", "XC")
    # All of them listen, so that each can be asked directly.
    bodies = [federation.Body(body.code, body.name, body.person,
                              *(word for word in body.init if word != "--relay-only"))
              for body in federation.BODIES]

    @classmethod
    def configure(cls):
        cls.set("XB", "files-below: 2")

    @classmethod
    def set(cls, code, *settings):
        """Instead of all settings for files that its node has."""
        path = cls.folder / code / "node.conf"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("files-")]
        path.write_text("\n".join([*lines, *settings]) + "\n")

    def restart(self, code, *settings):
        self.f.stop(code)
        self.set(code, *settings)
        self.f.start(code)
        self.f.wait_ready(code)

    def add(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return self.f.run("XA", "evidence", "add", path, "--title", name, "--measure", "search",
                          "--audience", "XA,XB,XC", quiet=True).stdout.strip()

    def files(self, code, *words):
        """How far files are at `code`, by reference, numbers as numbers."""
        found = {}
        for item in self.f.ask(code, "evidence", "files", *words).get("files", []):
            found[item["ref"]] = {
                "state": item["file"]["state"], "from": item.get("from", []),
                "urgent": item.get("urgent", False), "blob": item["file"]["blob"],
                **{name: int(item.get(name, 0))
                   for name in ("bytes_per_second", "damaged_chunks", "checked_damaged")},
                "here": int(item["file"].get("bytes_here", 0))}
        return found

    def wait_state(self, code, ref, state):
        self.f.wait_until(f"{ref} {state} at {code}",
                          lambda: self.files(code).get(ref, {}).get("state") == state)

    def content(self, code, ref):
        out = self.folder / f"{code}-{ref}-{time.monotonic_ns()}"
        self.f.run(code, "evidence", "get", ref, "--out", out)
        return out.read_bytes()

    def damage(self, code, ref, *chunks):
        blob = self.files(code)[ref]["blob"]
        path = self.folder / code / "blobs" / blob[:2] / blob[2:4] / f"{blob}.blob"
        with open(path, "r+b") as disk:
            for chunk in chunks:
                disk.seek(chunk * SEALED + 5)
                byte = disk.read(1)[0]
                disk.seek(chunk * SEALED + 5)
                disk.write(bytes([byte ^ 1]))

    def test_a_large_file_comes_on_request_and_goes_on_after_a_pause_a_kill_and_without_its_owner(
            self):
        f = self.f
        content = random.Random(1).randbytes(96 * MIB)
        small, large = self.add("small.txt", b"a few words"), self.add("large.img", content)
        for ref in (small, large):
            self.wait_state("XC", ref, "here")

        # By itself: what is small.
        self.wait_state("XB", small, "here")
        self.wait_state("XB", large, "on request")
        self.assertEqual(list(self.files("XB", "--missing")), [large])
        said = self.refused("XB", "evidence", "get", large, "--out", self.folder / "early",
                            with_code="NOT_ARRIVED", exit_code=support.REFUSED)
        self.assertIn(f"entente evidence fetch {large} --urgent", said)

        # On request, from both who have it, and no faster than they may send.
        for code in ("XA", "XC"):
            self.restart(code, "files-out: 2")
        begun = time.monotonic()
        f.run("XB", "evidence", "fetch", large)
        seen = f.wait_until("chunks from two holders", lambda: self.shared(large))
        self.assertEqual(seen["state"], "fetching")
        table = f.run("XB", "evidence", "files", large).stdout
        self.assertRegex(table, r"large\.img +96(\.0)? MiB +fetching +\d+ %")

        # A pause keeps what is here, and nothing more comes.
        f.run("XB", "evidence", "pause", large)
        paused = self.files("XB", large)[large]
        self.assertLess(paused["here"], 2 * 2 * MIB * (time.monotonic() - begun) + BURST)
        self.assertEqual((paused["state"], paused["from"]), ("paused", []))
        self.assertGreater(paused["here"], 0)
        f.note("XA", "written during the pause", "XA", "XB")
        self.see("written during the pause", "XB")
        self.assertEqual(self.files("XB", large)[large]["here"], paused["here"])

        # Urgent, and killed half way; meanwhile its owner goes away.
        f.run("XB", "evidence", "fetch", large, "--urgent")
        f.wait_until("more of it", lambda: self.files("XB")[large]["here"] > paused["here"])
        self.assertTrue(self.files("XB")[large]["urgent"])
        f.stop("XB", signal.SIGKILL)
        f.stop("XA")
        self.restart("XC")
        self.set("XB", "files-below: 2", "files-in: 8")
        begun = time.monotonic()
        f.start("XB")
        f.wait_ready("XB")
        resumed = self.files("XB")[large]
        self.assertGreaterEqual(resumed["here"], paused["here"])
        self.assertTrue(resumed["urgent"])
        self.wait_state("XB", large, "here")
        moved = len(content) - resumed["here"]
        self.assertLess(moved, 8 * MIB * (time.monotonic() - begun) + BURST)
        self.assertEqual(self.content("XB", large), content)
        f.start("XA")
        f.wait_ready("XA")
        f.wait_in_sync()
        self.assertEqual(self.files("XB", "--missing"), {})
        # Whoever was tried and had nothing yet is not complained of.
        for code in self.codes:
            self.assertEqual(f.ask(code, "sync", "status").get("refusals", []), [], code)

    def shared(self, ref):
        """The file at XB once both others hand it out and some of it is here."""
        now = self.files("XB")[ref]
        ready = now["from"] == ["XA", "XC"] and now["here"] > 0 and now["bytes_per_second"] > 0
        return now if ready else None

    def test_what_is_damaged_on_disk_is_found_and_comes_again_from_another_body(self):
        f = self.f
        content = random.Random(2).randbytes(10 * MIB + 77)
        ref = self.add("disk.img", content)
        self.wait_state("XC", ref, "here")
        f.run("XB", "evidence", "fetch", ref)
        self.wait_state("XB", ref, "here")
        self.assertIn("everything that was read is as it came",
                      f.run("XB", "evidence", "verify", ref).stdout)
        self.assertEqual(f.run("XB", "evidence", "verify", ref, "--sample", "0",
                               check=False).returncode, support.USAGE)

        # Nobody is there to help: it is found, and not handed out.
        for code in ("XA", "XC"):
            f.stop(code)
        self.damage("XB", ref, 3, 10)
        done = f.run("XB", "evidence", "verify", ref, check=False)
        self.assertEqual(done.returncode, support.INTEGRITY, done.stdout + done.stderr)
        self.assertIn("2 MiB damaged", done.stdout)
        found = self.files("XB")[ref]
        self.assertEqual((found["state"], found["damaged_chunks"]), ("damaged", 2))
        said = self.refused("XB", "evidence", "get", ref, "--out", self.folder / "bad",
                            with_code="DAMAGED_HERE", exit_code=support.REFUSED)
        self.assertIn("Next: ", said)

        # Somebody who is not its owner is enough.
        f.start("XC")
        f.wait_ready("XC")
        self.wait_state("XB", ref, "here")
        self.assertEqual(self.content("XB", ref), content)
        mended = self.files("XB")[ref]
        self.assertEqual((mended["damaged_chunks"], mended["checked_damaged"]), (0, 2))
        self.assertEqual(f.run("XB", "evidence", "verify", ref).returncode, support.DONE)
        self.assertEqual(self.files("XB")[ref]["checked_damaged"], 0)

        # Nor is the owner left alone with a damaged disk.
        f.start("XA")
        f.wait_ready("XA")
        f.wait_in_sync()
        self.damage("XA", ref, 0)
        done = f.run("XA", "evidence", "verify", "--json", check=False)
        self.assertEqual(done.returncode, support.INTEGRITY, done.stdout + done.stderr)
        self.wait_state("XA", ref, "here")
        self.assertEqual(self.content("XA", ref), content)


if __name__ == "__main__":
    unittest.main()
