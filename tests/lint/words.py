#!/usr/bin/env python3
"""Nothing is left open, skipped or tied to one person's machine."""

import re

import common

# Written in halves so that this file does not find itself.
OPEN = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "not imple" + "mented",
                                      "NOT_IMPLE" + "MENTED", "UNIMPLE" + "MENTED")) + r")\b")
SKIPPED = re.compile("DIS" + r"ABLED_|GTEST_" + "SKIP")
MACHINE = re.compile(r"(?<![\w.])/(home|root|Users)/\w")
CONFLICT = re.compile(r"^(<{7}|>{7}) ")
TEXT = (".h", ".cc", ".py", ".sh", ".proto", ".md", ".txt", ".cmake", ".yaml", ".yml", ".json",
        ".svg", ".css", ".ts", "")
RULES = ((OPEN, "left open"), (SKIPPED, "skipped test"), (MACHINE, "path of one machine"),
         (CONFLICT, "merge conflict"))


def main():
    args = common.arguments(__doc__)
    findings = []
    for path in common.files(args.root):
        if path.suffix not in TEXT or path.name == "LICENSE":
            continue
        for number, line in enumerate(common.read(args.root, path).splitlines(), 1):
            for pattern, what in RULES:
                if pattern.search(line):
                    findings.append(f"{path}:{number}: {what}: {line.strip()[:80]}")
    common.finish(findings, "words")


if __name__ == "__main__":
    main()
