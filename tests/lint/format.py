#!/usr/bin/env python3
"""C++ looks as .clang-format says, Python and shell carry no tabs or trailing blanks."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import common

TIDY_TEXT = (".py", ".sh", ".proto", ".cmake", ".h", ".cc")


def badly_formatted(root, batch):
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", "--ferror-limit=1",
                          *map(str, batch)], cwd=root, capture_output=True, text=True)
    return sorted({line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line})


def main():
    args = common.arguments(__doc__)
    sources = common.cpp_files(args.root)
    batches = [sources[i:i + 20] for i in range(0, len(sources), 20)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda batch: badly_formatted(args.root, batch), batches)
    findings = [f"{name}: run clang-format -i {name}" for names in found for name in names]
    for path in common.files(args.root):
        if path.suffix not in TIDY_TEXT:
            continue
        for number, line in enumerate(common.read(args.root, path).splitlines(), 1):
            if line != line.rstrip() or "\t" in line:
                findings.append(f"{path}:{number}: tab or trailing blank")
    common.finish(findings, "format")


if __name__ == "__main__":
    main()
