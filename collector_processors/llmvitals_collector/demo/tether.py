"""Runs a command while its own standard input is open, so that the command goes when its starter does, killed or not.

Usage: python tether.py COMMAND ...; the exit code is the command's, or 128 and the signal that ended it.
"""

import os
import subprocess
import sys
import threading

GRACE_SECONDS = 20.0


def main(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=_hold, args=(process,), daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def _hold(process: subprocess.Popen[bytes]) -> None:
    # Nothing is ever written: this ends when the other end is closed. Not by `sys.stdin`, whose lock the interpreter
    # would wait for when the command ends first.
    os.read(0, 1)
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
