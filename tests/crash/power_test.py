"""The power goes at any moment: nothing that was acknowledged is lost, nothing is half there, keys
and signing anchor are intact.

One node (XA) keeps everything on a disk whose power is cut; its acknowledgements, and the other
node, are elsewhere. What it writes for itself alone nobody could give back to it. The same is done
once more with a node whose syncs do nothing: unless that one loses acknowledged notes, the rig is
broken and the test fails."""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import power
import rig

NO_SYNC = pathlib.Path(os.environ.get("ENTENTE_NO_SYNC",
                                      rig.ROOT / "build/release/tests/crash/libno_sync.so"))
ALONE, SHARED = "XA", "XA,XB"
CONTROL_CUTS_MAX = 10


class PoweredFleet(rig.Fleet):
    """XA's folder is on the disk; `preload` goes into its process alone."""

    preload = None

    def launcher(self, name):
        return ("env", f"LD_PRELOAD={self.preload}") if name == "XA" and self.preload else ()


class Trial:
    def __init__(self, seed, preload=None):
        self.dice = random.Random(seed)
        self.fleet = PoweredFleet.make_new(codes=("XA", "XB"), prefix="entente-power-")
        self.away = pathlib.Path(tempfile.mkdtemp(prefix="entente-power-disk-"))
        self.disk = power.Disk(self.away)
        self.disk.plug_in()
        self.fleet.stop("XA")
        self.fleet.preload = preload
        home = self.fleet.folder / "XA"
        shutil.copytree(home, self.disk.root / "XA", copy_function=shutil.copy2)
        shutil.rmtree(home)
        home.symlink_to(self.disk.root / "XA")
        subprocess.run(["sync", "-f", str(self.disk.root)], check=True)
        self.fleet.start("XA")
        self.fleet.wait_ready("XA")
        self.logs = self.fleet.ask("XA", "log", "verify")["logs"]
        self.writers = {}
        self.slowest_start = 0.0
        for name, audience, files in (("alone", ALONE, 25), ("shared", SHARED, 40)):
            self.writers[name] = rig.Writer(self.fleet, "XA", audience,
                                            self.dice.randrange(1 << 60), pace_ms=5,
                                            file_every=files, name=name)

    def cut_once(self):
        """One power cut. Returns what had been acknowledged before it."""
        time.sleep(self.dice.uniform(0.02, 0.7))
        # Whoever is told nothing more after the cut has nothing more that could be lost.
        for writer in self.writers.values():
            writer.process.send_signal(signal.SIGSTOP)
        acknowledged = {name: writer.acknowledged() for name, writer in self.writers.items()}
        self.disk.cut()
        self.fleet.stop("XA", signal.SIGKILL)
        self.disk.clear_away()
        self.disk.plug_in()
        started = time.monotonic()
        self.fleet.start("XA")
        for writer in self.writers.values():
            writer.process.send_signal(signal.SIGCONT)
        self.fleet.wait_ready("XA")
        self.slowest_start = max(self.slowest_start, time.monotonic() - started)
        return acknowledged

    def lost(self, acknowledged):
        """Notes and files that had been acknowledged and are not there."""
        held = self.fleet.listed("XA")
        rig.judge_whole("XA", held)
        notes = set().union(*(notes for notes, _ in acknowledged.values())) - set(held)
        refs = {record["ref"] for record in self.fleet.ask("XA", "evidence", "list")["records"]}
        files = set().union(*(files.keys() for _, files in acknowledged.values())) - refs
        return notes | files

    def settle(self):
        acknowledged = {name: writer.finish() for name, writer in self.writers.items()}
        self.fleet.wait_in_sync(seconds=240)
        if lost := self.lost(acknowledged):
            raise rig.Broken(f"lost after all: {sorted(lost)[:3]}")
        held = set(self.fleet.listed("XB"))
        if missing := acknowledged["shared"][0] - held:
            raise rig.Broken(f"XB lacks what XA was told is safe: {sorted(missing)[:3]}")
        for name, (_, files) in acknowledged.items():
            for ref, digest in files.items():
                rig.judge_file(self.fleet, "XA", ref, digest)
                if name == "shared":
                    rig.judge_file(self.fleet, "XB", ref, digest)
        for code in self.fleet.codes:
            verdict = self.fleet.ask(code, "log", "verify")
            if not verdict["ok"]:
                raise rig.Broken(f"the logs of {code} do not verify: {verdict}")
        return acknowledged

    def close(self):
        for writer in self.writers.values():
            if writer.process.poll() is None:
                writer.process.send_signal(signal.SIGCONT)
                writer.process.kill()
                writer.process.wait()
        self.fleet.stop_all()
        self.disk.clear_away()
        self.fleet.remove()
        shutil.rmtree(self.away, ignore_errors=True)


def cuts_lose_nothing(seed, cuts):
    trial = Trial(seed)
    started = time.monotonic()
    try:
        for number in range(cuts):
            acknowledged = trial.cut_once()
            if lost := trial.lost(acknowledged):
                raise rig.Broken(f"cut {number} (--seed {seed}) lost {len(lost)} acknowledged "
                                 f"records: {sorted(lost)[:3]}")
        acknowledged = trial.settle()
        notes = sum(len(notes) for notes, _ in acknowledged.values())
        files = sum(len(files) for _, files in acknowledged.values())
        print(f"{cuts} power cuts, {time.monotonic() - started:.0f} s: {notes} notes and {files} "
              f"files acknowledged, 0 lost, 0 torn; slowest start {trial.slowest_start:.2f} s",
              flush=True)
        if notes < cuts:
            raise rig.Broken("hardly anything was written: nothing was tested")
    finally:
        trial.close()


def control_must_lose(seed):
    """A node whose syncs do nothing loses acknowledged notes, or does not even start again."""
    trial = Trial(seed, preload=NO_SYNC)
    try:
        for number in range(CONTROL_CUTS_MAX):
            try:
                lost = trial.lost(trial.cut_once())
            except (rig.Broken, rig.support.federation.Failed, subprocess.CalledProcessError,
                    RuntimeError) as refusal:
                print(f"control: after cut {number + 1} without syncs: {str(refusal)[:300]}")
                return
            if lost:
                print(f"control: cut {number + 1} without syncs lost {len(lost)} acknowledged "
                      "records")
                return
        raise rig.Broken("a node that syncs nothing lost nothing: the rig does not cut power")
    finally:
        trial.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=int(os.environ.get("ENTENTE_CUTS", "100")))
    parser.add_argument("--seed", default="20260302")
    args = parser.parse_args()
    if lacks := power.missing():
        print(f"SKIPPED: cutting the power of a disk needs {', '.join(lacks)}")
        return
    control_must_lose(args.seed)
    cuts_lose_nothing(args.seed, args.cuts)


if __name__ == "__main__":
    try:
        main()
    except rig.Broken as broken:
        sys.exit(f"FAILED: {broken}")
