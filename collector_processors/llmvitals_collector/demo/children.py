"""Programs that are started, waited for until they answer, and gone when this process is gone."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from types import TracebackType
from typing import Self

from llmvitals_collector.demo import tether

LAST_LINES = 8
READY_SECONDS = 30.0
POLL_SECONDS = 0.05
# Below those that Linux gives to clients, as a client would take one again before the child listens on it.
_SERVER_PORTS = range(10_240, 32_768)
_DRAWS = 1000  # before it is said that none is free

# In order, from one on that another process will not begin with.
_first = random.randrange(len(_SERVER_PORTS))  # noqa: S311 - no secret
_drawn = cycle([*_SERVER_PORTS[_first:], *_SERVER_PORTS[:_first]])

# Everything here is on this host: a proxy of the environment must not come in between.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class DemoError(Exception):
    """What keeps the demo from going on, in one sentence for its user."""


class Child:
    """A running program; it ends when the block is left, and at the latest when this process ends, in whatever way.

    name: what people call it.
    url: where it serves, if it does.
    environment: its variables; this process's own by default.
    """

    def __init__(
        self, name: str, command: Sequence[str], url: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.url = url
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._said = b""
        # By a tether, as a program that is not ours does not watch whether we are there. In a process group of its
        # own, so that Ctrl-C reaches us alone and we decide in which order the children end.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", tether.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment,
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raises DemoError, with the last lines of its output, when the program has ended."""
        code = self._process.poll()
        if code is not None:
            raise self.failure(f"ended with exit code {code}")

    def failure(self, what: str) -> DemoError:
        """An error that tells what went wrong with the program, with the last lines of its output."""
        said = self.output().splitlines()[-LAST_LINES:]
        return DemoError("\n  ".join([f"{self.name} {what}; its last lines:", *said]))

    def wait_until_ready(self, path: str = "/") -> Self:
        """Returns when `url` and `path` answer other than with a server error.

        Raises DemoError when the program ends before, or does not answer within 30 seconds.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                read(self.url + path)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    return self
            except OSError:
                pass  # not listening yet
            else:
                return self
            time.sleep(POLL_SECONDS)
        raise DemoError(f"{self.name} does not answer at {self.url}{path} after {READY_SECONDS:.0f} seconds")

    def output(self) -> str:
        """What it has written so far to its standard output and error."""
        if not self._log.closed:
            # By position: the program writes where the file's offset is, which is shared with us.
            self._said = os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0)
        return self._said.decode(errors="replace")

    def stop(self) -> None:
        """Ends the program and waits for it; safe to call twice."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        self.output()
        self._log.close()


def read(url: str) -> str:
    """The text at a loopback URL. Raises urllib.error.HTTPError for an error status, else OSError."""
    with _direct.open(url, timeout=5) as response:
        return str(response.read(), "utf-8")


def loopback_port(wanted: int, option: str) -> int:
    """The wanted port, or a free one for 0, which is another one each time.

    Raises DemoError, naming the option that changes it, if it cannot be had.
    """
    reason = ""
    for port in [wanted] if wanted else islice(_drawn, _DRAWS):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    raise DemoError(f"port {wanted} cannot be had ({reason}); choose another with {option}")
