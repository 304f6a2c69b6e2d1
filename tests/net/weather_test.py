"""Real distances: every host in a network namespace of its own, 300 ms there and back, lost packets,
cuts, and a host that nobody can dial. Everything converges. Reliability: N1, N2, N5 to N7.

Packets are lost by nftables; the delay is a small proxy's, since the kernel's netem is not
everywhere."""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import support  # noqa: E402

HUB = f"ent-hub-{os.getpid()}"
ONE_WAY_SECONDS = 0.15
PORT = 7400
HOSTS = (support.RELAY, "XA", "XB", "XC", "EJ")


def run(*words, check=True):
    return subprocess.run([str(word) for word in words], check=check, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)


def missing():
    lacks = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    if os.geteuid() != 0:
        lacks.append("root")
    if not lacks:
        probe = run("ip", "netns", "add", HUB, check=False)
        if probe.returncode != 0:
            lacks.append(f"network namespaces ({probe.stderr.strip()})")
        elif run("ip", "netns", "exec", HUB, "nft", "add", "table", "inet", "probe",
                 check=False).returncode != 0:
            lacks.append("nftables in the kernel")
        run("ip", "netns", "del", HUB, check=False)
    return lacks


class Sky:
    """One namespace in the middle, one for each host, and the lines between them."""

    def __init__(self):
        run("ip", "netns", "add", HUB)
        self.proxies = []
        self.inside(HUB, "ip", "link", "set", "lo", "up")
        self.inside(HUB, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        for number, name in enumerate(HOSTS, 1):
            space = self.space(name)
            run("ip", "netns", "add", space)
            run("ip", "-n", HUB, "link", "add", f"to{number}", "type", "veth", "peer", "name",
                "up0", "netns", space)
            run("ip", "-n", HUB, "addr", "add", f"10.77.{number}.1/24", "dev", f"to{number}")
            run("ip", "-n", space, "addr", "add", f"10.77.{number}.2/24", "dev", "up0")
            for where, line in ((HUB, f"to{number}"), (space, "up0"), (space, "lo")):
                run("ip", "-n", where, "link", "set", line, "up")
            run("ip", "-n", space, "route", "add", "default", "via", f"10.77.{number}.1")
            self.proxies.append(subprocess.Popen(
                ["ip", "netns", "exec", HUB, sys.executable, "-B",
                 pathlib.Path(__file__).with_name("delay_proxy.py"), f"10.77.{number}.1",
                 str(PORT), f"10.77.{number}.2", str(PORT), str(ONE_WAY_SECONDS)],
                stdin=subprocess.DEVNULL))
        self.rules(0, ())

    @staticmethod
    def space(name):
        return f"ent-{name}-{os.getpid()}"

    @staticmethod
    def inside(space, *words):
        return run("ip", "netns", "exec", space, *words)

    def rules(self, lost_percent, cut_hosts):
        """What the weather is: packets lost everywhere, lines that carry nothing."""
        drops = []
        if lost_percent:
            drops.append(f"numgen random mod 100 < {lost_percent} drop")
        for name in cut_hosts:
            number = HOSTS.index(name) + 1
            drops += [f"iifname to{number} drop", f"oifname to{number} drop"]
        # Nobody reaches EJ by dialling.
        number = HOSTS.index("EJ") + 1
        drops.append(f"oifname to{number} tcp flags & (syn | ack) == syn drop")
        chains = "".join(
            f"chain {hook} {{ type filter hook {hook} priority 0; "
            + " ".join(f"{drop};" for drop in drops
                       if hook != "input" or "oifname" not in drop
                       if hook != "output" or "iifname" not in drop) + " }\n"
            for hook in ("input", "output"))
        text = f"flush ruleset\ntable inet weather {{\n{chains}}}\n"
        subprocess.run(["ip", "netns", "exec", HUB, "nft", "-f", "-"], input=text, text=True,
                       check=True)

    def close(self):
        for proxy in self.proxies:
            proxy.kill()
            proxy.wait()
        for name in HOSTS:
            run("ip", "netns", "del", self.space(name), check=False)
        run("ip", "netns", "del", HUB, check=False)


class Spread(support.Federation):
    def ways_to(self, body):
        name = support.RELAY if body is None else body.code
        number = HOSTS.index(name) + 1
        if name == "EJ":
            return ("--listen", "none")
        if name == "XC":
            return ()  # reached through the relay alone
        return ("--listen", f"10.77.{number}.2:{PORT}", "--address", f"10.77.{number}.1:{PORT}")

    def launcher(self, name):
        return ("ip", "netns", "exec", Sky.space(name))


class WeatherTest(support.FederationTest):
    federation = Spread

    @classmethod
    def setUpClass(cls):
        cls.sky = Sky()
        cls.addClassCleanup(cls.sky.close)
        super().setUpClass()

    def converge(self, texts):
        """`texts`: {author: text}, each for all three."""
        f = self.f
        f.wait_in_sync(seconds=300)
        for code in ("XA", "XB", "XC"):
            self.assertLessEqual(set(texts.values()), f.notes(code), code)

    def write_everywhere(self, what):
        texts = {code: f"{code}: {what}" for code in ("XA", "XB", "XC")}
        for code, text in texts.items():
            self.f.note(code, text, "XA", "XB", "XC")
        return texts

    def test_1_far_away_is_only_far_away(self):
        self.converge(self.write_everywhere("300 ms away"))

    def test_2_lost_packets_lose_nothing(self):
        content = os.urandom(1_500_000)
        (self.folder / "film.bin").write_bytes(content)
        self.sky.rules(5, ())
        try:
            ref = self.f.run("XB", "evidence", "add", self.folder / "film.bin", "--measure",
                             "surveillance", "--audience", "XA,XB", quiet=True).stdout.strip()
            self.converge(self.write_everywhere("one packet of twenty lost"))
            out = self.folder / "film.out"
            self.f.wait_until("the file", lambda: self.f.run(
                "XA", "evidence", "get", ref, "--out", out, check=False).returncode == 0)
            self.assertEqual(out.read_bytes(), content)
        finally:
            self.sky.rules(0, ())

    def test_3_lines_are_cut_and_come_back(self):
        for cut in (("XB",), ("XA", support.RELAY), ("XC", "EJ")):
            self.sky.rules(0, cut)
            texts = self.write_everywhere(f"while {cut} could not be reached")
            time.sleep(1.5)  # long enough for what was sent to be lost; nothing depends on it
            self.sky.rules(0, ())
            self.converge(texts)

    def test_4_who_cannot_be_dialled_dials(self):
        f = self.f
        peers = {peer["code"]: peer for peer in f.ask("EJ", "sync", "status")["peers"]}
        self.assertTrue(peers["XA"]["connected"], peers)
        self.assertTrue(peers["XB"]["connected"], peers)
        f.stop("EJ")
        f.run("XA", "task", "assign", "--to", "XB", "--title", "look at the film", "--due",
              f.day(5))
        f.start("EJ")
        f.wait_ready("EJ")
        f.wait_in_sync(seconds=300)


if __name__ == "__main__":
    if lacks := missing():
        print(f"SKIPPED: hosts of their own need {', '.join(lacks)}")
        sys.exit(0)
    unittest.main()
