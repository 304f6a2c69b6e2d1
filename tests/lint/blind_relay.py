#!/usr/bin/env python3
"""The relay's program holds no symbol of code that opens, unseals or reads a keystore of nodes."""

import pathlib
import re
import subprocess

import common

FORBIDDEN = re.compile(
    r"crypto_(box_seal_open|box_open\w*|aead_\w+_decrypt\w*|secretbox_open\w*"
    r"|secretstream_\w+_pull|kx_\w+)"
    r"|entente::crypto::(OpenParcel|SealParcel|OpenBody|OpenSlot|BoxKeyPair|FileOpener"
    r"|OpenKeystore|EntryKeys)")


def main():
    args = common.arguments(__doc__, lambda parser: parser.add_argument(
        "--binary", required=True, type=pathlib.Path))
    findings = []
    # The linker leaves names of what it threw away, as absolute symbols at address zero.
    thrown_away = re.compile(r"^0+ a ")
    for more in ([], ["-D"]):
        out = subprocess.run(["nm", "-C", *more, str(args.binary)], check=True,
                             capture_output=True, text=True).stdout
        findings += [f"{args.binary.name}: {line.strip()}" for line in out.splitlines()
                     if FORBIDDEN.search(line) and not thrown_away.match(line)]
    common.finish(sorted(set(findings)), "the relay is blind")


if __name__ == "__main__":
    main()
