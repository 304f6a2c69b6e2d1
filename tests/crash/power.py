"""A disk whose power can be cut: an image behind nbdkit's write-back cache, behind nbdfuse, behind a
loop device, with ext4 on it. Killing nbdkit loses everything that was not flushed, and only that."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

TOOLS = ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "mount", "umount")
IMAGE_BYTES = 320 << 20


def missing():
    """What this machine lacks for it; empty when there is nothing."""
    lacks = [tool for tool in TOOLS if shutil.which(tool) is None]
    lacks += [path for path in ("/dev/fuse", "/dev/loop-control") if not os.path.exists(path)]
    if os.geteuid() != 0:
        lacks.append("root")
    return lacks


def quietly(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done


class Disk:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.image = self.folder / "disk.img"
        self.door = self.folder / "door"  # nbdfuse's folder
        self.root = self.folder / "disk"  # where the file system is mounted
        self.socket = self.folder / "nbd.sock"
        self.kit = self.fuse = self.loop = None
        for path in (self.door, self.root):
            path.mkdir(parents=True)
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        quietly("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", self.image)

    def plug_in(self):
        self.socket.unlink(missing_ok=True)
        self.kit = subprocess.Popen(
            ["nbdkit", "-f", "-U", str(self.socket), "--filter=cache", "file", str(self.image),
             "cache=writeback"], stdin=subprocess.DEVNULL)
        wait_for(self.socket.exists, "nbdkit")
        self.fuse = subprocess.Popen(
            ["nbdfuse", str(self.door), f"nbd+unix:///?socket={self.socket}"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for((self.door / "nbd").exists, "nbdfuse")
        self.loop = quietly("losetup", "-f", "--show", self.door / "nbd").stdout.strip()
        quietly("mount", "-t", "ext4", "-o", "errors=remount-ro", self.loop, self.root)

    def cut(self):
        """The power goes. Whoever still has files open here gets errors from now on."""
        self.kit.send_signal(signal.SIGKILL)
        self.kit.wait()

    def clear_away(self):
        """After `cut`, or before `plug_in` again: what is left of the dead disk is let go. Nobody
        may have files open on it."""
        until = time.monotonic() + 30
        while quietly("umount", self.root, check=False).returncode != 0:
            if time.monotonic() > until:
                quietly("umount", "-l", self.root, check=False)
                break
            time.sleep(0.05)
        if self.loop:
            quietly("losetup", "-d", self.loop, check=False)
        quietly("umount", "-l", self.door, check=False)
        for process in (self.fuse, self.kit):
            if process is not None and process.poll() is None:
                process.kill()
            if process is not None:
                process.wait()
        self.kit = self.fuse = self.loop = None


def wait_for(condition, what, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} did not come up within {seconds} s")
        time.sleep(0.005)
