"""Takes the pictures of the boards, from the demo's data: `python grafana_dashboards/pictures.py [--minutes 8]`.

It needs Prometheus, Chromium and ImageMagick's `convert`.
"""

import argparse
import contextlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo_prometheus import SCRAPE_SECONDS, demo, prometheus
from llmvitals_collector.demo.children import DemoError
from sheet import boards, page
from sheet_data import Server

FOLDER = Path(__file__).parent / "pictures"
TIMES = 60  # an hour is a minute
WIDTH, HEIGHT, HIGHEST, MARGIN = 1200, 6000, 1750, 12  # pixels, of the page and of the picture of its beginning
COLOURS = 96


def shoot(html: Path, picture: Path) -> None:
    """Writes a small PNG of a page. Raises subprocess.CalledProcessError when a program fails."""
    raw = html.with_suffix(".png")
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={raw}", html.as_uri()]
    subprocess.run([*chromium, *size], check=True, capture_output=True)  # noqa: S603
    ppm = subprocess.run(["convert", str(raw), "ppm:-"], check=True, capture_output=True).stdout  # noqa: S603, S607
    pixels = np.frombuffer(ppm[-WIDTH * HEIGHT * 3 :], np.uint8).reshape(HEIGHT, WIDTH, 3)
    # Below the page all rows are alike.
    height = int(np.flatnonzero((pixels != pixels[-1]).any(axis=(1, 2)))[-1]) + 1
    picture.write_bytes(png(pixels[: min(height + MARGIN, HIGHEST)]))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG with a palette of the colours that matter most; pixels: uint8 (height, width, 3).

    https://www.w3.org/TR/png-3/
    """
    # Colours are alike whose channels have the same upper four bits.
    places = (pixels >> 4).astype(np.int64) @ (256, 16, 1)
    counts = np.bincount(places.ravel(), minlength=4096)
    sums = [np.bincount(places.ravel(), pixels[..., channel].ravel(), 4096) for channel in range(3)]
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    # A line is thin: its colour counts for more than how often it is there.
    colourful = means.max(axis=1) - means.min(axis=1)
    palette = means[np.argsort(-np.sqrt(counts) * (60 + colourful))[:COLOURS]]
    nearest = ((means[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    rows = np.pad(nearest[places], ((0, 0), (1, 0)))  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 3, 0, 0, 0)
    chunks = {b"IHDR": header, b"PLTE": np.rint(palette).astype(np.uint8).tobytes()}
    chunks |= {b"IDAT": zlib.compress(rows.tobytes(), 9), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )


def main() -> int:
    """Runs the demo for so many minutes and takes a picture of each board; gives the exit code."""
    parser = argparse.ArgumentParser(description="Take the pictures of the boards, from the demo's data.")
    parser.add_argument("--minutes", type=int, default=8, help="how long the demo runs before (default: 8)")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER", help="(default: pictures)")
    arguments = parser.parse_args()
    for program in ("chromium", "convert"):
        if not shutil.which(program):
            print(f"pictures: {program} is not installed", file=sys.stderr)
            return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    seconds = arguments.minutes * 60
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            collector = stack.enter_context(demo(folder, rate=10))
            features = ("native-histograms", "exemplar-storage")
            server = Server(stack.enter_context(prometheus(folder, collector, TIMES, features)).url)
        except DemoError as error:
            print(f"pictures: {error}", file=sys.stderr)
            return 1
        time.sleep(seconds)
        for board in boards([]):
            html = folder / f"{board['uid']}.html"
            html.write_text(page(board, server, seconds, time.time(), SCRAPE_SECONDS), "utf-8")
            picture = arguments.out / f"{board['uid']}.png"
            shoot(html, picture)
            print(f"wrote {os.path.relpath(picture)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
