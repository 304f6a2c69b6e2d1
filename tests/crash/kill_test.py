"""kill -9 at any moment: nothing that was acknowledged is lost or appears twice, all converge.

Nodes, a node that only receives, and the relay are killed side by side, each on a schedule of its
own that follows from the seed: while starting (recovery, flush and compaction run then), working
(writes and files under way) and stopping. By hand, and longer: tests/crash/run --kills 10000."""

import argparse
import os
import random
import sys
import time

import rig

VICTIMS = ("XA", "XB", "XC", "EJ", rig.RELAY)
AUDIENCES = {"XA": "XA,XB,XC", "XB": "XA,XB", "XC": "XA,XB,XC"}  # EJ only coordinates


def settle(fleet):
    """All faults stop: whoever is not there is started."""
    for name in VICTIMS:
        process = fleet.processes.get(name)
        if process is None or process.poll() is not None:
            fleet.start(name)
    for name in VICTIMS:
        fleet.wait_ready(name)


def show(killers, acknowledged, seconds):
    killed = {kind: sum(k.killed[kind] for k in killers) for kind in killers[0].killed}
    waits = sorted(s for k in killers if k.name != rig.RELAY for s in k.ready_seconds) or [0.0]
    print(f"{sum(killed.values())} kills ({killed}), {sum(k.frozen for k in killers)} pauses, "
          f"{seconds:.0f} s; per process "
          f"{ {k.name: sum(k.killed.values()) for k in killers} }")
    print(f"a node served after: median {waits[len(waits) // 2]:.2f} s, slowest {waits[-1]:.2f} s")
    print(f"acknowledged: {sum(len(notes) for notes, _ in acknowledged.values())} notes, "
          f"{sum(len(files) for _, files in acknowledged.values())} files; none lost, none twice",
          flush=True)


def one_round(fleet, seed, kills, pace_ms):
    dice = random.Random(seed)
    writers = {code: rig.Writer(fleet, code, audience, dice.randrange(1 << 60), pace_ms,
                                file_every=80 if code != "XC" else 0)
               for code, audience in AUDIENCES.items()}
    started = time.monotonic()
    share = [kills // len(VICTIMS) + (i < kills % len(VICTIMS)) for i in range(len(VICTIMS))]
    killers = [rig.Killer(fleet, name, seed, n) for name, n in zip(VICTIMS, share)]
    for killer in killers:
        killer.start()
    for killer in killers:
        killer.join()
        if killer.error is not None:
            raise killer.error
    seconds = time.monotonic() - started
    settle(fleet)
    acknowledged = {code: writer.finish() for code, writer in writers.items()}
    rig.judge(fleet, acknowledged, {code: a.split(",") for code, a in AUDIENCES.items()})
    show(killers, acknowledged, seconds)
    return acknowledged


def run(seed, kills, pace_ms, kills_per_round):
    """Rounds, so that the oracle looks often and one fleet does not grow without end."""
    done = 0
    while done < kills:
        count = min(kills_per_round, kills - done)
        round_seed = f"{seed}/{done}"
        fleet = rig.Fleet.make_new()
        try:
            acknowledged = one_round(fleet, round_seed, count, pace_ms)
            if not all(notes for notes, _ in acknowledged.values()):
                raise rig.Broken("a writer was never answered: nothing was tested")
        except BaseException:
            fleet.stop_all()
            print(f"FAILED with --seed {seed}, round from kill {done}; kept: {fleet.folder}",
                  file=sys.stderr, flush=True)
            raise
        fleet.remove()
        done += count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("ENTENTE_KILLS", "500")))
    parser.add_argument("--seed", default="20260301")
    parser.add_argument("--pace-ms", type=int, default=25)
    parser.add_argument("--kills-per-round", type=int, default=1000)
    args = parser.parse_args()
    run(args.seed, args.kills, args.pace_ms, args.kills_per_round)


if __name__ == "__main__":
    main()
