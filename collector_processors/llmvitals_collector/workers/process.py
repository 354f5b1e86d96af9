"""One worker, as the process that counts sees it."""

import signal
import socket
import struct
import subprocess
import sys
from collections import defaultdict

from llmvitals.semconv import Family
from llmvitals_collector.lifecycle import GRACE_SECONDS
from llmvitals_collector.telemetry import LabelValues
from llmvitals_collector.workers.messages import Connection, Message

# For so long a worker may leave unread what it is told, once its socket is full.
_READ_SECONDS = 30
# Not of all of them, such as most that are for real time.
_NAMES = {each.value: each.name for each in signal.Signals}


class WorkerProcess:
    """A process that was started just now.

    place: of it among the workers, from 1 on. listens: whether its servers are up. answered: the number of the last
    question that it has answered. gauges: what it told last. trouble: why it ends, where it does not say so itself.
    """

    def __init__(self, place: int, account: int) -> None:
        """account: the descriptor of what is in flight, see account.py."""
        ours, its = socket.socketpair()
        # Whoever tells something to all workers is not to wait for ever for one that hangs.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _READ_SECONDS, 0))
        self.connection = Connection(ours)
        # With -P no module comes from the folder in which the collector was started.
        command = [sys.executable, "-P", "-m", "llmvitals_collector.workers", str(its.fileno()), str(account)]
        try:
            with its:
                self._process = subprocess.Popen(command, pass_fds=(its.fileno(), account))  # noqa: S603
        except OSError:
            self.connection.close()
            raise
        self.place = place
        self.listens = False
        self.answered = 0
        self.trouble = ""
        self.gauges: dict[Family, dict[LabelValues, float]] = defaultdict(dict)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message, unless the process has ended, which whoever listens to it notices; kill it if it hangs."""
        try:
            self.connection.send(message)
        except BlockingIOError:
            self.trouble = f"has read nothing for {_READ_SECONDS} seconds, and is killed"
            self.kill()
        except OSError:
            return

    def kill(self) -> None:
        self._process.kill()

    def ended(self) -> str:
        """How it has ended, once it has; it is killed if it does not after having closed its socket."""
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self.connection.close()
        how = f"was ended by {_NAMES.get(-code, -code)}" if code < 0 else f"has ended with code {code}"
        return self.trouble or how
