"""What the process that counts and its workers say to each other, over a Unix socket that they share."""

import socket
import struct
from threading import Lock
from typing import TypeAlias

import msgspec

from llmvitals_collector.config import Config
from llmvitals_collector.debug import View
from llmvitals_collector.telemetry import LabelValues

# The length of the message in msgpack, and of the bytes that come with it.
_LENGTHS = struct.Struct("<II")

# One of COLLECTOR_FAMILIES by its name, label values, value.
Values: TypeAlias = list[tuple[str, LabelValues, float]]


class Report(msgspec.Struct):
    """What a worker tells of itself.

    counters: what was added since its last report. gauges: as they are. debug: what was noted since its last report.
    """

    counters: Values
    gauges: Values
    debug: View


class Start(msgspec.Struct, tag=True):
    """To a worker, first: the configuration, and which of the places in the account of admission is its own."""

    config: Config
    place: int


class Reload(msgspec.Struct, tag=True):
    """To a worker: another configuration."""

    config: Config


class Ask(msgspec.Struct, tag=True):
    """To a worker: tell of yourself; answered by Told with the same number."""

    number: int


class Drain(msgspec.Struct, tag=True):
    """To a worker: take no more requests, finish those in flight, and end."""


class Condition(msgspec.Struct, tag=True):
    """To a worker: what keeps the collector from taking data; "" for nothing."""

    problem: str


class Stored(msgspec.Struct, tag=True):
    """To a worker, for its last Take: it is durable. failure: or not, and why."""

    failure: str = ""


class Failed(msgspec.Struct, tag=True):
    """To a worker, for its last Take: this process failed on it, as its log says."""


class Ready(msgspec.Struct, tag=True):
    """From a worker: it listens. failure: or cannot, and why."""

    failure: str = ""


class Take(msgspec.Struct, tag=True):
    """From a worker: batches to be counted; the bytes are their entries, of these sizes.

    content: whether the last entry has the texts of the first, which the journal does not get.
    """

    sizes: list[int]
    content: bool
    report: Report | None


class Told(msgspec.Struct, tag=True):
    """From a worker, for Ask."""

    number: int
    report: Report


Message: TypeAlias = Start | Reload | Ask | Drain | Condition | Stored | Failed | Ready | Take | Told


class Connection:
    """One end of the socket. Any thread may send; one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = Lock()
        self._decoder = msgspec.msgpack.Decoder(Message)

    def send(self, message: Message, *buffers: bytes | memoryview) -> None:
        """Send a message, and bytes with it.

        Raises:
            OSError: the other process has ended.
        """
        told = msgspec.msgpack.encode(message)
        size = sum(memoryview(buffer).nbytes for buffer in buffers)
        whole = b"".join([_LENGTHS.pack(len(told), size), told, *buffers])
        with self._sending:
            self._socket.sendall(whole)

    def receive(self) -> tuple[Message, memoryview]:
        """The next message, and its bytes.

        Raises:
            OSError: the other process has ended.
        """
        told, size = _LENGTHS.unpack(self._read(_LENGTHS.size))
        message = self._decoder.decode(self._read(told))
        return message, self._read(size)

    def close(self) -> None:
        """Let go of the socket, of which the other process has closed its end."""
        self._socket.close()

    def _read(self, size: int) -> memoryview:
        view = memoryview(bytearray(size))
        at = 0
        while at < size:
            more = self._socket.recv_into(view[at:])
            if not more:
                raise ConnectionResetError("the other process has ended")
            at += more
        return view
