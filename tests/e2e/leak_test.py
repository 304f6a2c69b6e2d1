"""No leak: nothing of a record reaches a body outside its audience, the relay, or the wire."""

import os
import unittest

import support

TITLE = "Statement of Vera Kolb about Harbour Lane"
NOTE = "The door to the yard was locked from outside every night."
SHARED_TITLE = "Register of the exchange, shared with all three"


def overheard(needles, haystack):
    """Which of the named byte strings stand in `haystack`."""
    return sorted(name for name, needle in needles.items() if needle in haystack)


class LeakTest(support.FederationTest):
    @classmethod
    def prepare(cls):
        # Every listener is announced at a recorder's port; the processes listen elsewhere.
        cls.recorders = []
        real_command = cls.f.command

        def command(*words, **more):
            words = list(map(str, words))
            if "init" in words and "--listen" in words:
                at = words.index("--listen") + 1
                port, announced = int(words[at].rsplit(":", 1)[1]), support.free_port()
                words += ["--address", f"127.0.0.1:{announced}"]
                recorder = support.Recorder(announced, port)
                cls.recorders.append(recorder)
                cls.addClassCleanup(recorder.close)
            return real_command(*words, **more)
        cls.f.command = command

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = os.urandom(200_000)
        (cls.folder / "secret.bin").write_bytes(cls.secret)
        item = cls.f.ask("XA", "evidence", "add", cls.folder / "secret.bin", "--title", TITLE,
                         "--measure", "interview", "--audience", "XA,XB")["record"]
        shared = cls.f.ask("XA", "evidence", "add", cls.folder / "secret.bin", "--title",
                           SHARED_TITLE, "--measure", "production order", "--audience",
                           "XA,XB,XC")["record"]
        cls.f.note("XA", NOTE, "XA", "XB")
        cls.item, cls.shared = item, shared
        cls.f.wait_in_sync()
        cls.api = {code: cls.everything_over_the_api(code) for code in cls.f.codes}
        cls.wire = b"".join(recorder.bytes() for recorder in cls.recorders)
        cls.f.stop_all()
        cls.rows = {code: cls.f.dump(code) for code in cls.f.codes}
        cls.disk = {code: b"".join(key + b"\n" + value + b"\n" for key, value in rows)
                    for code, rows in cls.rows.items()}
        cls.disk["relay"] = b"".join(path.read_bytes()
                                     for path in (cls.folder / "relay").rglob("*")
                                     if path.is_file())
        cls.needles = cls.what_only_xa_and_xb_hold()

    @classmethod
    def everything_over_the_api(cls, code):
        out = ""
        for words in (("evidence", "list"), ("task", "list"), ("note", "list"), ("line", "list"),
                      ("feed",), ("sync", "status"), ("progress",), ("node", "status"),
                      ("strategy", "show"), ("agreement", "list")):
            out += cls.f.run(code, *words, "--json", check=False).stdout
        return out.encode()

    @classmethod
    def what_only_xa_and_xb_hold(cls):
        """Texts, ids and keys of records for XA and XB, as they stand in XA's own store."""
        party_of = {key[1:]: value for key, value in cls.rows["XA"] if key[:1] == b"c"}
        outsiders = [party for party, card in party_of.items()
                     if b"Corvia" in card or b"Eurojust" in card]
        assert len(outsiders) == 2
        needles = {"title": TITLE.encode(), "note": NOTE.encode(), "file": cls.secret[1000:1064],
                   "record id": bytes.fromhex(cls.item["id"]),
                   "record id in hex": cls.item["id"].encode(), "reference": cls.item["ref"].encode()}
        logs = [key[1:] for key, value in cls.rows["XA"] if key[:1] == b"l"
                and not any(party in value for party in outsiders)]
        assert len(logs) >= 2, "XA and XB share logs"
        for number, log in enumerate(logs):
            needles[f"log id {number}"] = log
            for key, value in cls.rows["XA"]:
                if key[:33] == b"k" + log:
                    needles[f"key of log {number}, epoch {key[33:].hex()}"] = value
        assert any(name.startswith("key") for name in needles)
        return needles

    def test_the_audience_has_it(self):
        for name in ("title", "note", "reference"):
            self.assertIn(self.needles[name], self.api["XB"])
        self.assertTrue(any(name.startswith("log id") for name in
                            overheard(self.needles, self.disk["XB"])))

    def test_disks_of_others_hold_nothing_of_it(self):
        for where in ("XC", "EJ", "relay"):
            self.assertEqual(overheard(self.needles, self.disk[where]), [], where)

    def test_evidence_files_of_others_hold_nothing_of_it(self):
        for code in ("XC", "EJ"):
            for path in (self.folder / code / "blobs").rglob("*"):
                if path.is_file():
                    self.assertEqual(overheard(self.needles, path.read_bytes()), [], str(path))

    def test_the_api_of_others_answers_nothing_of_it(self):
        texts = {name: needle for name, needle in self.needles.items()
                 if name in ("title", "note", "record id in hex", "reference")}
        for code in ("XC", "EJ"):
            self.assertEqual(overheard(texts, self.api[code]), [], code)

    def test_the_wire_carries_nothing_readable(self):
        self.assertGreater(len(self.wire), len(self.secret))  # the recorders did record
        self.assertEqual(overheard(self.needles, self.wire), [])

    def test_no_store_keeps_plain_text_on_disk(self):
        for code in self.f.codes:
            for path in (self.folder / code).rglob("*"):
                if path.is_file():
                    texts = {"title": TITLE.encode(), "note": NOTE.encode(),
                             "file": self.secret[1000:1064]}
                    self.assertEqual(overheard(texts, path.read_bytes()), [], str(path))

    def test_a_planted_leak_is_noticed(self):
        # The record for all three, looked for as if it were not for XC: the checks above must bite.
        needles = {"title": SHARED_TITLE.encode(),
                   "record id in hex": self.shared["id"].encode()}
        self.assertEqual(overheard(needles, self.api["XC"]), ["record id in hex", "title"])
        party = next(key[1:] for key, value in self.rows["XA"]
                     if key[:1] == b"c" and b"Corvia" in value)
        logs = {f"log id {n}": key[1:] for n, (key, value) in enumerate(self.rows["XA"])
                if key[:1] == b"l" and party in value}
        keys = {f"key {n}": value for n, (key, value) in enumerate(self.rows["XA"])
                if key[:1] == b"k" and key[1:33] in logs.values()}
        self.assertNotEqual(overheard(logs, self.disk["XC"]), [])
        self.assertNotEqual(overheard(keys, self.disk["XC"]), [])
        self.assertEqual(overheard({"planted": b"in the clear"}, self.wire + b"in the clear"),
                         ["planted"])


if __name__ == "__main__":
    unittest.main()
