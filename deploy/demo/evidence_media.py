"""A night-camera picture (PNG) and an intercepted call (WAV), drawn and played from a seed."""

import array
import math
import random
import struct
import sys
import zlib

GLYPHS = {  # 5 x 7 dots, one number a row
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12), "-": (0, 0, 0, 31, 0, 0, 0), ":": (0, 4, 4, 0, 4, 4, 0),
    "C": (14, 17, 16, 16, 16, 17, 14), "A": (14, 17, 17, 31, 17, 17, 17),
    "M": (17, 27, 21, 21, 17, 17, 17), "X": (17, 17, 10, 4, 10, 17, 17),
    "U": (17, 17, 17, 17, 17, 17, 14), "T": (31, 4, 4, 4, 4, 4, 4), " ": (0,) * 7,
}


def _box(rows, x, y, width, height, colour):
    for row in rows[y:y + height]:
        row[3 * x:3 * (x + width)] = bytes(colour) * width


def _text(rows, x, y, text, dot, colour):
    for position, char in enumerate(text):
        for j, bits in enumerate(GLYPHS[char]):
            for i in range(5):
                if bits >> (4 - i) & 1:
                    _box(rows, x + (6 * position + i) * dot, y + j * dot, dot, dot, colour)


def picture(width=2200, height=1500, seed=11):
    """A street at night: houses with some windows lit, a van, the camera's own clock, grain."""
    chance = random.Random(seed)
    rows = [bytearray(bytes((18 + y // 60, 20 + y // 50, 34 + y // 34)) * width)
            for y in range(height)]
    ground = height * 3 // 4
    _box(rows, 0, ground, width, height - ground, (46, 46, 50))
    x = 0
    while x < width - 160:
        house = chance.randrange(200, 340)
        house = min(house, width - x)
        top = chance.randrange(height // 6, height // 3)
        _box(rows, x, top, house - 8, ground - top, (34, 32, 40))
        for wy in range(top + 30, ground - 120, 90):
            for wx in range(x + 24, x + house - 60, 70):
                lit = chance.random() < 0.22
                _box(rows, wx, wy, 36, 52, (212, 178, 96) if lit else (22, 22, 30))
        x += house
    van = width * 5 // 9
    _box(rows, van, ground - 70, 420, 150, (150, 152, 158))
    _box(rows, van + 420, ground - 10, 110, 90, (150, 152, 158))
    _box(rows, van + 430, ground, 70, 40, (60, 80, 96))
    for wheel in (van + 60, van + 400):
        _box(rows, wheel, ground + 60, 76, 56, (16, 16, 18))
    _box(rows, van + 512, ground + 30, 18, 16, (230, 222, 160))
    for y in range(0, height - ground - 80, 3):
        _box(rows, min(van + 540 + y, width - 60), ground + 70 + y, 60, 2, (96, 94, 72))
    _text(rows, 60, 50, "CAM 04  2031-03-14 02:17:46 UTC".replace("UTC", "UT"), 6, (224, 224, 220))

    grain = int.from_bytes(b"\x0f" * (3 * width), "big")  # four bits of noise a byte, no carry
    packed = bytearray()
    for row in rows:
        noise = int.from_bytes(chance.randbytes(3 * width), "big") & grain
        packed += b"\0" + (int.from_bytes(row, "big") + noise).to_bytes(3 * width, "big")

    def part(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + part(b"IDAT", zlib.compress(bytes(packed), 1)) + part(b"IEND", b""))


def _syllable(chance, rate):
    """A voiced sound: a falling pitch, three formants, a soft start and end."""
    samples = array.array("h")
    length = int(rate * chance.uniform(0.11, 0.24))
    pitch = chance.choice((112.0, 118.0, 196.0, 208.0)) * chance.uniform(0.94, 1.08)
    formants = (chance.uniform(300, 800), chance.uniform(900, 1900), chance.uniform(2200, 2900))
    phase = 0.0
    for i in range(length):
        at = i / length
        phase += 2 * math.pi * pitch * (1.04 - 0.1 * at) / rate
        sound = 0.0
        for weight, formant in zip((1.0, 0.6, 0.3), formants):
            sound += weight * math.sin(phase * round(formant / pitch))
        samples.append(int(5200 * math.sin(math.pi * at) * sound) + chance.randrange(-180, 180))
    return samples


def call(megabytes=20, rate=16000, seed=12):
    """A telephone call of two voices with pauses and line noise: 16 bit, one channel."""
    chance = random.Random(seed)
    sounds = [_syllable(chance, rate) for _ in range(40)]
    hiss = array.array("h", (chance.randrange(-160, 160) for _ in range(rate)))
    out = array.array("h")
    wanted = megabytes * 500_000
    while len(out) < wanted:
        for _ in range(chance.randrange(4, 22)):
            out.extend(chance.choice(sounds))
            out.extend(hiss[:chance.randrange(200, 900)])
        out.extend(hiss[:chance.randrange(4000, rate)])
    del out[wanted:]
    if sys.byteorder == "big":
        out.byteswap()
    data = out.tobytes()
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
            + b"data" + struct.pack("<I", len(data)) + data)
