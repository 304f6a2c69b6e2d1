"""Who is not trusted gets nowhere and is in nobody's way: a node whose listener is stormed by idle,
slow, half-open and nonsensical connections, with too few descriptors for all of them, still meets
its peers, and forgets nothing. Reliability: G15, d-N 1 to 3."""

import os
import pathlib
import random
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import support  # noqa: E402
from measure import forget_peak, memory_of, peak_of  # noqa: E402

CONNECTIONS = 800
DESCRIPTORS = 400  # of the stormed node: fewer than there are strangers
GROWTH_MAX = 128 << 20


class FewDescriptors(support.Federation):
    def launcher(self, name):
        return ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}") if name == "XA" else ()


def client_hello():
    """The first bytes of an honest handshake."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Storm(threading.Thread):
    """Keeps a crowd of strangers at a port, each in its own way and from one of many addresses."""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.port = port
        self.dice = random.Random(seed)
        self.going = True
        self.made = 0
        self.hello = client_hello()
        self.crowd = []

    def run(self):
        while self.going:
            self.crowd = [(s, left) for s, left in self.crowd if self.alive(s, left)]
            for _ in range(min(50, CONNECTIONS - len(self.crowd))):
                self.come()
            time.sleep(0.02)
        for stranger, _ in self.crowd:
            stranger.close()

    def come(self):
        stranger = socket.socket()
        stranger.bind((f"127.0.{self.dice.randrange(1, 5)}.{self.dice.randrange(1, 200)}", 0))
        stranger.setblocking(False)
        stranger.connect_ex(("127.0.0.1", self.port))
        way = self.dice.randrange(5)
        left = {0: b"",  # idle
                1: self.dice.randbytes(self.dice.randrange(1, 3000)),
                2: self.hello,  # and then nothing
                3: self.hello[:self.dice.randrange(1, len(self.hello))],
                4: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(2000)}[way]
        self.crowd.append((stranger, bytearray(left)))
        self.made += 1

    def alive(self, stranger, left):
        try:
            if left:
                count = stranger.send(left[:self.dice.randrange(1, 400)])
                del left[:count]
            if select.select([stranger], [], [], 0)[0] and not stranger.recv(4096):
                raise ConnectionError
        except BlockingIOError:
            return True
        except OSError:
            stranger.close()
            return False
        return True


class StrangersTest(support.FederationTest):
    codes = ("XA", "XB")
    federation = FewDescriptors

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        key, certificate = cls.folder / "stranger.key", cls.folder / "stranger.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key,
                        "-out", certificate, "-subj", "/CN=XB", "-days", "30"], check=True,
                       capture_output=True)
        cls.stranger = (certificate, key)
        conf = (cls.folder / "XA" / "node.conf").read_text()
        cls.port = next(int(line.rsplit(":", 1)[1]) for line in conf.splitlines()
                        if line.startswith("listen: "))

    def context(self, with_certificate=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        if with_certificate:
            context.load_cert_chain(*self.stranger)
        return context

    def heard_after_handshake(self, context):
        """What the node sends, inside TLS, to somebody it does not know; None without a handshake."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            try:
                with context.wrap_socket(plain) as tls:
                    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
                    heard = b""
                    while data := tls.recv(4096):
                        heard += data
                    return heard
            except (ssl.SSLError, ConnectionError):
                return None

    def test_no_byte_of_http_is_spoken_with_a_key_that_is_not_pinned(self):
        self.assertFalse(self.heard_after_handshake(self.context()))

    def test_whoever_shows_no_certificate_is_not_heard(self):
        self.assertFalse(self.heard_after_handshake(self.context(with_certificate=False)))

    def test_a_key_that_only_copies_a_name_is_a_strangers(self):
        # The certificate above says it is XB's; names decide nothing.
        self.assertFalse(self.heard_after_handshake(self.context()))

    def test_nothing_older_than_tls_1_3_is_spoken(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain).close()

    def test_a_stormed_node_meets_its_peers_and_stays_small(self):
        f = self.f
        f.wait_in_sync()
        idle = memory_of(f.processes["XA"])
        forget_peak(f.processes["XA"])
        storm = Storm(self.port, seed=20260303)
        storm.start()
        try:
            f.wait_until("a storm", lambda: storm.made >= CONNECTIONS)
            f.stop("XB")
            text = "written at XA in the storm"
            f.note("XA", text, "XA", "XB")
            f.start("XB")
            f.wait_ready("XB")
            f.wait_until("XB has come through", lambda: text in f.notes("XB"))
            answer = "answered from XB in the storm"
            f.note("XB", answer, "XA", "XB")
            f.wait_until("XA has the answer", lambda: answer in f.notes("XA"))
        finally:
            storm.going = False
            storm.join()
        self.assertGreater(storm.made, CONNECTIONS)
        peak = peak_of(f.processes["XA"])
        print(f"{storm.made} strangers; memory {idle >> 20} MB idle, {peak >> 20} MB at most",
              flush=True)
        self.assertLess(peak, idle + GROWTH_MAX)
        # The listener has survived, and what it holds has gone back.
        f.stop("XB")
        f.note("XA", "after the storm", "XA", "XB")
        f.start("XB")
        f.wait_ready("XB")
        f.wait_until("XB is back", lambda: "after the storm" in f.notes("XB"), seconds=60)
        f.wait_until("descriptors have gone back", lambda: len(os.listdir(
            f"/proc/{f.processes['XA'].pid}/fd")) < DESCRIPTORS // 2, seconds=60)


if __name__ == "__main__":
    unittest.main()
