"""How the C library allocates memory for the collector's threads."""

import ctypes
import os
import platform

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h
_VARIABLE = "MALLOC_ARENA_MAX"


def share_arena() -> None:
    """Let all threads allocate from one arena of glibc's, not each from its own; call it before they start.

    Every arena keeps the most that its threads ever held: at 2000 label sets that is an eighth of the collector's
    memory, for threads that wait for the interpreter far more than for malloc. Whoever sets MALLOC_ARENA_MAX decides.
    See https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if platform.libc_ver()[0] == "glibc" and _VARIABLE not in os.environ:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
