#!/usr/bin/env python3
"""Every shell script passes shellcheck and stops at its first error."""

import subprocess

import common


def shell_scripts(root):
    for path in common.files(root):
        if path.suffix == ".sh":
            yield path
        elif path.suffix == "":
            with open(root / path, "rb") as file:
                first = file.readline(80)
            if first.startswith(b"#!") and b"sh" in first.split(b"/")[-1]:
                yield path


def main():
    args = common.arguments(__doc__)
    scripts = list(shell_scripts(args.root))
    findings = []
    for path in scripts:
        text = common.read(args.root, path)
        if text.startswith("#!") and "set -euo pipefail" not in text:
            findings.append(f"{path}: does not say 'set -euo pipefail'")
    if scripts:
        run = subprocess.run(["shellcheck", "-x", "-f", "gcc", *map(str, scripts)], cwd=args.root,
                             capture_output=True, text=True)
        findings += run.stdout.splitlines()
        if run.returncode != 0 and not run.stdout:
            findings.append(f"shellcheck: {run.stderr.strip()}")
    common.finish(findings, f"{len(scripts)} shell scripts")


if __name__ == "__main__":
    main()
