"""Evidence for a court: exported by a node, checked by entente-verify without one, and by tools and
rules that are not ours."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import outside
import support

VERIFY = pathlib.Path(support.PROGRAMS) / "entente-verify"
HOLDS, CHANGED, ASKED_WRONGLY, NOT_COMPARED = 0, 1, 2, 3


AUTHORITY = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Time
[ca]
basicConstraints = critical,CA:true
keyUsage = keyCertSign,cRLSign
[tsa_cert]
basicConstraints = CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def verify(folder, *words):
    return subprocess.run([VERIFY, folder, *words], capture_output=True, text=True)


class BundleTest(support.FederationTest):
    codes = ("XA", "XB", "XC")

    def words(self):
        """--words for every body, as its own node gives them."""
        out = []
        for code in self.codes:
            card = self.f.ask(code, "card", "show")["card"]
            out += ["--words", card["word_string"]]
        return out

    def received(self, code, ref):
        record = self.f.ask("XA", "show", ref)["record"]
        return any(event["kind"] == "RECEIVED_BY" and event["body"] == code
                   for event in record.get("custody", []))

    def test_a_court_can_check_what_a_body_exports(self):
        f = self.f
        ledger = self.folder / "ledger <b>2026.csv"
        ledger.write_bytes(b"date,amount\n" + b"2026-03-03,4000\n" * 200_000)
        ref = f.run("XA", "evidence", "add", ledger, "--title", "Ledger of Lime Street",
                    "--measure", "house search", "--exhibit", "LS/4", "--audience", "XA,XB",
                    quiet=True).stdout.strip()
        f.note("XA", "the informant is at Pier Nine", "XA", "XB")
        f.run("XA", "evidence", "record", ref, "--event", "sealed", "--place", "Evidence room 4",
              "--instrument", "seal 4711", "--by", "Sergeant Ott")
        f.wait_until("XB has it", lambda: self.received("XB", ref))
        f.run("XA", "evidence", "release", ref, "--to", "XC", "--purpose", "trial in Corvia")
        f.wait_until("XC has it", lambda: self.received("XC", ref))

        # What is missing is asked for, and nothing is left behind by what was refused.
        out = self.folder / "for the court"
        self.refused("XC", "bundle", "export", ref, "--out", out, with_code="SCHEMA",
                     exit_code=support.USAGE)
        self.refused("XC", "bundle", "export", "E-000000", "--purpose", "trial", "--out", out,
                     with_code="NOT_HERE", exit_code=support.NOT_FOUND)
        self.assertEqual([path.name for path in self.folder.glob("for the court*")], [])

        done = f.run("XC", "bundle", "export", ref, "--purpose", "Trial in Corvia, file 12/2026",
                     "--out", out)
        self.assertIn("entente-verify", done.stdout)
        self.assertEqual([path.name for path in self.folder.glob("for the court*")],
                         ["for the court"])
        self.refused("XC", "bundle", "export", ref, "--purpose", "again", "--out", out,
                     with_code="FILE_EXISTS", exit_code=support.CONFLICT)
        f.wait_until("XA reads of the export", lambda: any(
            event["kind"] == "EXPORTED" and event["body"] == "XC"
            for event in f.ask("XA", "show", ref)["record"]["custody"]))

        self.by_our_program(out, ref)
        self.by_others_rules(out, ledger)
        self.changed(out)
        self.stamped(out)

    def by_our_program(self, out, ref):
        # Without nodes: nothing of them is running or reachable.
        done = verify(out)
        self.assertEqual(done.returncode, NOT_COMPARED, done.stdout + done.stderr)
        self.assertIn("--words", done.stdout)
        done = verify(out, *self.words())
        self.assertEqual(done.returncode, HOLDS, done.stdout + done.stderr)
        for part in ("HOLDS", f"{ref} \"Ledger of Lime Street\" was registered by XA",
                     "is the file registered as", "another body has confirmed it"):
            self.assertIn(part, done.stdout)
        told = json.loads(verify(out, "--json").stdout)
        self.assertTrue(told["intact"])
        report = (out / "data/report.html").read_text()
        for part in ("Evidence room 4", "seal 4711", "Sergeant Ott", "LS/4", "house search",
                     "ledger &lt;b&gt;2026.csv"):
            self.assertIn(part, report)
        for path in out.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"Pier Nine", path.read_bytes(), path)
        linked = subprocess.run(["ldd", VERIFY], capture_output=True, text=True)
        self.assertIn("statically linked", linked.stdout + linked.stderr)
        for words in ([], ["--words", "one two"], ["--nonsense"], [out, out]):
            done = subprocess.run([VERIFY, *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, ASKED_WRONGLY, words)
            self.assertIn("Next:", done.stderr)

    def by_others_rules(self, out, ledger):
        for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            subprocess.run(["sha256sum", "--check", "--strict", "--quiet", name], cwd=out,
                           check=True)
        subprocess.run(["sha512sum", "--check", "--strict", "--quiet", "manifest-sha512.txt"],
                       cwd=out, check=True)
        info = outside.check_bag(out)
        self.assertEqual(info["External-Description"], "Trial in Corvia, file 12/2026")
        heads, cosignatures, entries = outside.check_logs(out)
        self.assertGreater(heads, 2)
        self.assertGreater(cosignatures, 0)
        self.assertGreater(entries, 6)
        enclosed = [path for path in out.rglob("*") if "data/files" in str(path) and path.is_file()]
        self.assertEqual([path.read_bytes() for path in enclosed], [ledger.read_bytes()])
        outside.check_case_graph(out / "data/provenance.jsonld")

    def stamped(self, out):
        """A time-stamping authority on this machine, by OpenSSL's own program."""
        room = self.folder / "authority"
        room.mkdir()
        (room / "tsa.cnf").write_text(AUTHORITY)

        def openssl(*words):
            return subprocess.run(["openssl", *words], cwd=room, check=True, capture_output=True,
                                  text=True, env={**os.environ, "OPENSSL_CONF": "tsa.cnf"})

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                "ca.pem", "-days", "30", "-extensions", "ca", "-subj", "/CN=Root of Time")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out",
                "tsa.csr", "-subj", "/CN=Authority of Time")
        openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", "tsa.pem", "-days", "30", "-extfile", "tsa.cnf",
                "-extensions", "tsa_cert")
        (room / "serial").write_text("01")
        query, reply, root = room / "request.tsq", room / "reply.tsr", room / "ca.pem"
        f = self.f
        f.run("XA", "bundle", "stamp", out, "--query", query)
        openssl("ts", "-reply", "-queryfile", "request.tsq", "-out", "reply.tsr", "-config",
                "tsa.cnf")
        reply.write_bytes(reply.read_bytes() + b"x")
        self.refused("XA", "bundle", "stamp", out, "--reply", reply, with_code="BAD_TIMESTAMP",
                     exit_code=support.USAGE)
        self.assertEqual(verify(out).returncode, NOT_COMPARED)  # untouched by what was refused
        reply.write_bytes(reply.read_bytes()[:-1])
        f.run("XA", "bundle", "stamp", out, "--reply", reply, "--time-authority", root)
        # By OpenSSL's program, over the file as it lies there.
        openssl("ts", "-verify", "-data", out / "data/proof/signature.txt", "-in",
                out / "data/proof/timestamp.tsr", "-CAfile", "ca.pem")
        outside.check_bag(out)
        done = verify(out, *self.words())
        self.assertEqual(done.returncode, HOLDS, done.stdout)
        self.assertIn("give its certificate", done.stdout)
        done = verify(out, *self.words(), "--time-authority", root)
        self.assertEqual(done.returncode, HOLDS, done.stdout)
        self.assertIn("confirms that the bundle existed on", done.stdout)
        done = verify(out, "--time-authority", room / "tsa.cnf")
        self.assertEqual(done.returncode, CHANGED)
        self.changed(out)

    def changed(self, out):
        for path in sorted(path for path in out.rglob("*") if path.is_file()):
            copy = self.folder / "changed"
            shutil.copytree(out, copy)
            at = copy / path.relative_to(out)
            raw = bytearray(at.read_bytes())
            raw[len(raw) // 2] ^= 0x10
            at.write_bytes(raw)
            done = verify(copy)
            self.assertEqual(done.returncode, CHANGED, path)
            self.assertIn("REFUSED", done.stdout)
            shutil.rmtree(copy)
        copy = self.folder / "more"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(out, copy)
        (copy / "data" / "link").symlink_to("/etc/passwd")
        done = verify(copy)
        self.assertEqual(done.returncode, CHANGED)
        self.assertIn("data/link", done.stdout)


if __name__ == "__main__":
    unittest.main()
