"""Starts the federation, plays Operation LANTERN, prints who sees what, and stays until Ctrl-C.

Run by deploy/quickstart, which has built the programs."""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import federation
import lantern
import sight

HERE = pathlib.Path(__file__).resolve().parent


class Steps:
    """One line a step, with the time it took."""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and self.open:
            print("failed", flush=True)

    open = False

    def __call__(self, text, work):
        print(f"  {text:<62} ", end="", flush=True)
        self.open = True
        began = time.monotonic()
        work()
        self.open = False
        print(f"{time.monotonic() - began:6.1f} s", flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="deploy/quickstart", description=__doc__.split("\n")[0])
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path,
                        help="keep all data in DIR, and start again from it")
    parser.add_argument("--once", action="store_true", help="play, print the table, end")
    parser.add_argument("--evidence", metavar="DIR", type=pathlib.Path,
                        help="share the files in DIR from Arvenia with Borland")
    parser.add_argument("--programs", type=pathlib.Path, help=argparse.SUPPRESS, required=True)
    return parser.parse_args()


def own_files(folder):
    if folder is None:
        return None
    if not folder.is_dir():
        raise federation.Failed(f"--evidence: \"{folder}\" is not a folder")
    files = sorted(path.resolve() for path in folder.rglob("*") if path.is_file())
    if not files:
        raise federation.Failed(f"--evidence: there are no files in \"{folder}\"")
    return files


class Demo(federation.Federation):
    def play(self, steps, files):
        evidence = self.folder / "evidence"
        steps("Make the evidence of the case (fictional, about 50 MB)", lambda: subprocess.run(
            [sys.executable, HERE / "make-evidence", evidence], check=True))
        steps("Make four nodes and a relay: keys, cards, people", self.make)
        steps("Start them, each its own process", self.start_all)
        steps("Each body trusts the others' cards, comparing the words", self.introduce)
        story = lantern.Story(self, evidence, files)
        for text, part in story.parts:
            steps(text, part)
        (self.folder / "played").write_text(
            "".join(f"{name}\t{ref}\n" for name, ref in story.refs.items()))

    def resume(self, steps):
        steps("Start the federation again, each its own process", self.start_all)
        steps("Everything has arrived and been verified", self.wait_in_sync)

    def refs(self):
        lines = (self.folder / "played").read_text().splitlines()
        return dict(line.split("\t") for line in lines)

    def report(self):
        eyes = sight.Sight(self)
        refs = self.refs()
        head = ("who sees what", *self.codes, "relay")
        print("\n" + sight.render(head, eyes.table(refs)))
        cards, rows = eyes.cards("EJ")
        print(f"\n  Eurojust follows {len(cards)} tasks by card: country, kind, state and dates, no "
              "text.")
        for row in rows:
            print(f"    {row['body']}  {row['kind']:<20} open {row['open']}, done {row['done']}, "
                  f"declined {row['declined']}, overdue {row['overdue']}")
        relay = self.ask_relay()
        print(f"  The relay has passed on sealed parcels alone; {relay['parcels']} wait there now.")
        for code in self.codes:
            result = self.ask(code, "log", "verify")
            verdict = "as signed" if result["ok"] else "NOT AS SIGNED"
            print(f"  {code}: {result['entries']} entries in {result['logs']} logs, {verdict}")

    def ask_relay(self):
        return json.loads(self.command("--node", self.folder / "relay", "relay", "status",
                                       "--json").stdout)

    def hints(self):
        entente = self.programs / "entente"
        refs = self.refs()
        item = refs.get("bank register", next(iter(refs.values())))
        hidden = refs.get("statement", item)
        print(f"""
Still running, in {self.folder}. Try, in another terminal:

  export ENTENTE_PROFILES={self.profiles} PATH={entente.parent}:$PATH
  entente --node XA evidence list
  entente --node XA explain {hidden} --for XB
  entente --node XB evidence get {item} --out /tmp
  entente --node EJ progress
  entente --node XC sync status
  entente --node XA help

Ctrl-C ends it.""", flush=True)


def wait_for_end(demo):
    ended = []
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: ended.append(True))
    while not ended:
        time.sleep(0.2)
        if dead := demo.dead():
            raise federation.Failed(f"{dead[0]} has stopped:\n{demo.tail(dead[0])}")


def run(options, folder):
    files = own_files(options.evidence)
    demo = Demo(folder, options.programs)
    try:
        with Steps() as steps:
            if (demo.folder / "played").exists():
                if files:
                    raise federation.Failed("--evidence is for a fresh start; choose another --keep "
                                            "folder")
                demo.resume(steps)
            elif demo.exists():
                raise federation.Failed(f"the last start in {folder} did not finish; remove the "
                                        "folder, or choose another")
            else:
                demo.play(steps, files)
        demo.report()
        if not options.once:
            demo.hints()
            wait_for_end(demo)
    finally:
        demo.stop_all()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            run(options, options.keep)
        else:
            with tempfile.TemporaryDirectory(prefix="entente-") as folder:
                run(options, folder)
    except federation.Failed as error:
        sys.exit(f"quickstart: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
