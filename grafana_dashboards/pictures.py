"""Takes the pictures of the boards, from the demo's data: `python grafana_dashboards/pictures.py [--minutes 8]`.

It needs Prometheus, Chromium and ImageMagick's `convert`.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from demo_prometheus import SCRAPE_SECONDS, demo, prometheus
from llmvitals_collector.demo.children import DemoError
from sheet import boards, page
from sheet_data import Server

FOLDER = Path(__file__).parent / "pictures"
TIMES = 60  # an hour is a minute
WIDTH, HEIGHT = 1200, 6000  # pixels; what is left of the height is cut off
COLOURS = 24


def shoot(html: Path, picture: Path) -> None:
    """Writes a small PNG of a page. Raises subprocess.CalledProcessError when a program fails."""
    raw = html.with_suffix(".png")
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={raw}", html.as_uri()]
    subprocess.run([*chromium, *size], check=True, capture_output=True)  # noqa: S603
    cut = ["-trim", "+repage", "-bordercolor", "#f4f5f5", "-border", "8", "+dither", "-colors", str(COLOURS), "-strip"]
    subprocess.run(["convert", str(raw), *cut, f"PNG8:{picture}"], check=True)  # noqa: S603, S607


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
