#!/usr/bin/env python3
"""clang-tidy over the pure layers, in parallel, with results kept for files that did not change.

  tidy.py --build DIR              crypto, sync, node/model and node/core
  tidy.py --build DIR PATH…        these files or folders
  tidy.py --build DIR --changed    what differs from HEAD

A file is checked again when it, any project header it reaches, .clang-tidy or clang-tidy itself
changed; clean results are remembered under $XDG_CACHE_HOME/entente-tidy.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import common

SCOPE = ("crypto", "sync", "node/model", "node/core")
# A file is read by itself, as somebody would who knows no precompiled headers.
PRECOMPILED = re.compile(r"-Xclang -include(?:-pch)? -Xclang \S+|-Winvalid-pch")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def add_arguments(parser):
    parser.add_argument("--build", required=True, type=pathlib.Path,
                        help="a configured and built folder with compile_commands.json")
    parser.add_argument("--changed", action="store_true", help="what differs from HEAD")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("paths", nargs="*")


class Keys:
    """Content keys: a hash over a source, all project headers it reaches, and the tool."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        version = subprocess.run(["clang-tidy", "--version"], check=True,
                                 capture_output=True).stdout
        common_parts = [version, (root / ".clang-tidy").read_bytes()]
        common_parts += [path.read_bytes() for path in sorted(root.glob("proto/**/*.proto"))]
        self.base = hashlib.sha256(b"".join(common_parts)).hexdigest()

    def includes(self, name):
        if name not in self.texts:
            path = self.root / name
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            self.texts[name] = (text, INCLUDE.findall(text))
        return self.texts[name]

    def key(self, name):
        seen, queue = set(), [name]
        while queue:
            current = queue.pop()
            if current not in seen:
                seen.add(current)
                queue += self.includes(current)[1]
        digest = hashlib.sha256(self.base.encode())
        for reached in sorted(seen):
            digest.update(reached.encode() + b"\0" + self.includes(reached)[0].encode() + b"\0")
        return digest.hexdigest()


def read_commands(build):
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        commands = json.load(file)
    for entry in commands:
        entry["command"] = PRECOMPILED.sub("", entry["command"])
    return commands


def wanted(args, commands):
    compiled = {os.path.relpath(entry["file"], args.root) for entry in commands}
    if args.changed:
        out = subprocess.run(["git", "-C", str(args.root), "diff", "--name-only", "HEAD"],
                             check=True, capture_output=True, text=True).stdout
        scope = tuple(out.split())
    else:
        scope = tuple(args.paths) or SCOPE
    return sorted(name for name in compiled if name.endswith(".cc")
                  and any(name == part or name.startswith(part.rstrip("/") + "/")
                          for part in scope))


def check(args, folder, name):
    run = subprocess.run(["clang-tidy", "--quiet", "-p", folder, name], cwd=args.root,
                         capture_output=True, text=True)
    out = COLOUR.sub("", run.stdout).replace(f"{args.root}/", "")
    found = [line for line in out.splitlines() if re.search(r": (error|warning): ", line)]
    if run.returncode != 0 and not found:
        found = [f"{name}: clang-tidy failed: {run.stderr.strip()[-300:]}"]
    return found


def main():
    args = common.arguments(__doc__.split("\n", maxsplit=1)[0], add_arguments)
    args.root = args.root.resolve()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    cache = cache / "entente-tidy"
    cache.mkdir(parents=True, exist_ok=True)
    keys = Keys(args.root)
    commands = read_commands(args.build)
    names = wanted(args, commands)
    if not names and not args.changed:
        sys.exit("tidy: nothing to check: is the build folder configured?")
    todo = [name for name in names if not (cache / keys.key(name)).exists()]
    started = time.monotonic()

    def one(name):
        found = check(args, folder, name)
        if not found:
            (cache / keys.key(name)).touch()
        return found

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        (pathlib.Path(folder) / "compile_commands.json").write_text(json.dumps(commands))
        findings = sorted({line for found in pool.map(one, todo) for line in found})
    print(f"{len(names)} files, {len(todo)} of them checked now, "
          f"{time.monotonic() - started:.0f} s")
    common.finish(findings, "clang-tidy")


if __name__ == "__main__":
    main()
