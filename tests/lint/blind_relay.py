#!/usr/bin/env python3
"""The relay's program can call no code that opens, unseals or reads a keystore of nodes.

Asked of the program itself: which functions of libsodium the loader binds for it, and which of our
own it holds. (A linker may leave the bare name of a function whose every caller it threw away;
without a relocation nothing can call it.)
"""

import pathlib
import re
import subprocess

import common

# With scalarmult it looks whether anything can be sealed to the keys on a card at all; to open what
# was sealed takes a cipher as well, and there is none.
ALLOWED = re.compile(r"crypto_(generichash(_init|_update|_final)?|sign_verify_detached"
                     r"|core_ed25519_is_valid_point|scalarmult_curve25519)$")
FORBIDDEN = re.compile(
    r"entente::crypto::(OpenParcel|SealParcel|OpenBody|OpenSlot|BoxKeyPair|FileOpener"
    r"|OpenKeystore|EntryKeys)")
# Absolute symbols at address zero: names of what the linker threw away.
THROWN_AWAY = re.compile(r"^0+ a ")


def lines(*command):
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          text=True)
    return done.stdout.splitlines()


def main():
    args = common.arguments(__doc__, lambda parser: parser.add_argument(
        "--binary", required=True, type=pathlib.Path))
    bound = {line.split()[-1].split("@")[0] for line in lines("objdump", "-R", args.binary)
             if len(line.split()) == 3}
    findings = [f"{args.binary.name} can call {name}" for name in bound
                if name.startswith("crypto_") and not ALLOWED.match(name)]
    if "crypto_sign_verify_detached" not in bound:
        findings.append(f"{args.binary.name} binds no libsodium at all: this check sees nothing")
    findings += [f"{args.binary.name} holds {line.split(' ', 2)[2]}"
                 for line in lines("nm", "-C", args.binary)
                 if FORBIDDEN.search(line) and not THROWN_AWAY.match(line)]
    common.finish(sorted(set(findings)), "the relay is blind")


if __name__ == "__main__":
    main()
