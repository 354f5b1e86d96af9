"""Threads share an arena of the C library's, which is the difference of an eighth of the collector's memory."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")

# Threads that hold memory at once, each of which would have an arena of its own; malloc_info(3) lists them.
PROGRAM = """
import ctypes, sys, threading
from llmvitals_collector.allocation import share_arena

libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
if sys.argv[1] == "shared":
    share_arena()
together = threading.Barrier(4)

def hold():
    libc.malloc(10_000)
    together.wait()

threads = [threading.Thread(target=hold) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def arenas(how: str, **variables: str) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | variables
    run = [sys.executable, "-c", PROGRAM, how]
    told = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
    return told.count("<heap nr=")


def test_threads_have_an_arena_each_until_they_are_told_to_share_one():
    assert arenas("apart") > 1
    assert arenas("shared") == 1


def test_an_operator_who_sets_the_number_of_arenas_gets_that_many():
    assert arenas("shared", MALLOC_ARENA_MAX="3") == 3
