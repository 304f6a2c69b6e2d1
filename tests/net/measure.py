"""What a process takes of the machine."""

import pathlib


def memory_of(process, what="VmRSS"):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no {what}")


def peak_of(process):
    return memory_of(process, "VmHWM")


def forget_peak(process):
    """The passphrase's Argon2id, for one, takes much at the start and gives it back."""
    pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
