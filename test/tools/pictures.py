#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Whether a chart is seen, in light and in dark. Usage: pictures.py CHART.svg CHROMIUM

A browser without a window makes a picture of the chart under either preference; it must have the chart's colours, its texts,
and nothing at its edges but the page.
"""
import collections
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
import zlib

chart, chromium = sys.argv[1:]
text = pathlib.Path(chart).read_text(encoding="utf-8")
root = xml.fromstring(text)
width, height = int(root.get("width")), int(root.get("height"))
light, dark = text.split("@media (prefers-color-scheme: dark)")
passed, failed = 0, 0


def expect(what, good, *seen):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print("FAILED", what, *seen)


def colour(of, scheme):
    """The fill or stroke of a class, as numbers."""
    found = re.search(rf"\.{of} {{ [^}}]*?(?:fill|stroke): #([0-9a-f]{{6}})", scheme)
    return tuple(bytes.fromhex(found[1]))


def pixels(png):
    """The rows of a PNG, 8 bits a channel, as tuples (red, green, blue)."""
    at, data, channels, rows = 8, b"", 0, []
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        part = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            wide, high, depth, colours, *_, interlaced = struct.unpack(">IIBBBBB", part)
            channels = {2: 3, 6: 4}[colours]
            assert depth == 8 and not interlaced
        elif kind == b"IDAT":
            data += part
        at += 12 + size
    data, stride, before = zlib.decompress(data), wide * channels, bytearray(wide * channels)
    for number in range(high):
        how, line = data[number * (stride + 1)], bytearray(data[number * (stride + 1) + 1:(number + 1) * (stride + 1)])
        for i in range(stride if how else 0):
            left = line[i - channels] if i >= channels else 0
            above, corner = before[i], before[i - channels] if i >= channels else 0
            guess = left + above - corner
            paeth = min((left, above, corner), key=lambda one: abs(guess - one))
            line[i] = (line[i] + (0, left, above, (left + above) // 2, paeth)[how]) & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, stride, channels)])
        before = line
    return rows


def picture(folder, scheme):
    shot = pathlib.Path(folder) / f"{scheme}.png"
    done = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
                           f"--user-data-dir={folder}/profile", f"--blink-settings=preferredColorScheme={scheme}",
                           f"--screenshot={shot}", f"--window-size={width},{height}", pathlib.Path(chart).resolve().as_uri()],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    if not shot.exists():
        sys.exit(f"pictures.py: no picture:\n{done.stdout.decode(errors='replace')}")
    return pixels(shot.read_bytes())


with tempfile.TemporaryDirectory() as folder:
    for scheme, colours in {1: light, 0: dark}.items():
        name = "light" if scheme else "dark"
        rows = picture(folder, scheme)
        seen = collections.Counter(pixel for row in rows for pixel in row)
        expect(f"{name}: the size", (len(rows[0]), len(rows)) == (width, height), len(rows[0]), len(rows))
        page = colour("page", colours)
        expect(f"{name}: the page is most of it", seen[page] > width * height / 3, seen[page])
        for of, least in {"managed": 20000, "state": 2000, "stripe": 5000, "label": 200, "interrupt": 20, "wrong": 20}.items():
            expect(f"{name}: {of} is seen", seen[colour(of, colours)] >= least, of, seen[colour(of, colours)])
        expect(f"{name}: nothing but the page at its edges",
               all(set(row[3:9] + row[-9:-3]) <= {page} for row in rows[12:-12]), "there is")
        expect(f"{name}: its colours are its own", colour("managed", light) not in seen or scheme)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
