"""The workers of the process that counts: started, heard, asked, started again, drained."""

import logging
import os
import socket
import time
from itertools import accumulate, pairwise
from threading import Condition, Event, Thread

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.counting import Counting
from llmvitals_collector.debug import Debug
from llmvitals_collector.health import Health
from llmvitals_collector.lifecycle import GRACE_SECONDS, WorkerError, reserved
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.otlp import OtlpReceivers
from llmvitals_collector.storage import StorageError
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.workers import account, messages
from llmvitals_collector.workers.process import WorkerProcess
from llmvitals_collector.workers.share import share
from llmvitals_collector.workers.totals import Totals

_logger = logging.getLogger(__name__)

# Until all workers listen, most of which goes for imports.
_START_SECONDS = 120.0
# For which whoever looks waits for a worker that does not answer; what it has told before stands.
_ASK_SECONDS = 0.5
# Draining, a worker's servers and forwarding take GRACE_SECONDS each at most.
_STOP_SECONDS = 4.0 * GRACE_SECONDS
# Before a worker is started again; for one that does not last twice as long each time, up to the longest.
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, _LASTS_SECONDS = 0.1, 10.0, 60.0


class Workers:
    """`count` processes with receivers, in place of those here, of which only the settings are in use.

    admission: of this process, whose account they share.
    """

    def __init__(
        self,
        count: int,
        config: Config,
        receivers: OtlpReceivers,
        admission: Admission,
        counting: Counting,
        telemetry: Telemetry,
        debug: Debug,
        health: Health,
    ) -> None:
        self._count = count
        self._config = config
        self._receivers = receivers
        self._admission = admission
        self._counting = counting
        self._telemetry = telemetry
        self._health = health
        self._changed = Condition()
        self._alive: dict[int, WorkerProcess] = {}  # by their places
        self._failure = ""  # why one did not start
        self._question = 0  # the number of the last one
        self._totals = Totals(telemetry, debug, lambda: list(self._alive.values()))
        telemetry.gather = debug.gather = self._ask
        health.changed = self._tell
        self._stopping = Event()
        self._threads = [
            Thread(target=self._keep, args=(place,), name=f"worker-{place}", daemon=True)
            for place in range(1, count + 1)
        ]
        self._reserved: list[socket.socket] = []
        self._account: int | None = None

    def start(self) -> None:
        """Take the addresses, and have every worker listen on them.

        Raises:
            PortError: an address cannot be had.
            WorkerError: a worker cannot start.
        """
        for server, config, key in (
            (self._receivers.grpc, self._config.receivers.grpc, "receivers.grpc.address"),
            (self._receivers.http, self._config.receivers.http, "receivers.http.address"),
        ):
            self._reserved.append(reserved(config.address, key))
            server.port = self._reserved[-1].getsockname()[1]
        self._account = account.create(1 + self._count)
        self._held = account.view(self._account)
        self._admission.share(self._held, 0)
        for thread in self._threads:
            thread.start()
        with self._changed:
            listen = self._changed.wait_for(lambda: self._failure or self._listening == self._count, _START_SECONDS)
        if self._failure or not listen:
            raise WorkerError(self._failure or f"a worker did not listen within {_START_SECONDS:.0f} seconds")

    def reload(self, config: Config) -> None:
        """Take another configuration over, all of it or nothing; what takes a restart is as it was.

        Raises:
            ConfigError: a file that they name cannot be read.
        """
        self._receivers.reload(config)
        with self._changed:
            self._config = config
        self._send(messages.Reload(self._share()))

    def stop(self) -> None:
        """Have them finish what is in flight, and end; safe without a start, and twice."""
        self._stopping.set()
        self._send(messages.Drain())
        until = time.monotonic() + _STOP_SECONDS
        started = [thread for thread in self._threads if thread.ident]
        for thread in started:
            thread.join(max(0.0, until - time.monotonic()))
        for worker in list(self._alive.values()):
            _logger.warning("worker %d does not end, and is killed", worker.place)
            worker.kill()
        for thread in started:
            thread.join()
        while self._reserved:
            self._reserved.pop().close()
        if self._account is not None:
            os.close(self._account)
            self._account = None

    def _keep(self, place: int) -> None:
        """Have a worker at this place; when it ends, start it again."""
        pause = _PAUSE_SECONDS
        while True:
            began = time.monotonic()
            try:
                worker = self._begun(place)
            except OSError as error:
                how = f"cannot be started: {error.strerror}"
                self._fail(f"a worker {how}")
            else:
                self._hear(worker)
                how = self._end(worker)
            if self._stopping.is_set():
                return
            _logger.error("worker %d: %s; it is started again", place, how)
            self._telemetry.count(semconv.COLLECTOR_WORKER_RESTARTS)
            if time.monotonic() - began > _LASTS_SECONDS:
                pause = _PAUSE_SECONDS
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _begun(self, place: int) -> WorkerProcess:
        """Start a worker.

        Raises:
            OSError: the system has no room for it.
        """
        assert self._account is not None  # noqa: S101 - it is there from start() on
        worker = WorkerProcess(place, self._account)
        with self._changed:  # so that nothing is said to it before, and no configuration passes it by
            worker.send(messages.Start(self._share(), place))
            self._alive[place] = worker
        if self._stopping.is_set():
            worker.send(messages.Drain())
        return worker

    def _hear(self, worker: WorkerProcess) -> None:
        """Do what a worker asks for, until its end."""
        try:
            while True:
                message, data = worker.connection.receive()
                match message:
                    case messages.Take():
                        self._take(worker, message, data)
                    case messages.Told(number, report):
                        self._totals.add(worker, report)
                        self._change(worker, answered=number)
                    case messages.Ready(failure):
                        worker.trouble = failure
                        self._fail(failure)
                        self._change(worker, listens=not failure)
                        self._tell()
        except OSError:
            return
        except Exception:
            _logger.exception("worker %d cannot be understood, and is killed", worker.place)
            worker.kill()

    def _take(self, worker: WorkerProcess, take: messages.Take, data: memoryview) -> None:
        if take.report:
            self._totals.add(worker, take.report)
        entries = [data[start:end] for start, end in pairwise(accumulate(take.sizes, initial=0))]
        content = entries.pop() if take.content else None
        answer: messages.Message = messages.Stored()
        try:
            with self._health.of("storage", StorageError):
                self._counting.take_packed(entries, content)
        except StorageError as error:
            answer = messages.Stored(str(error))
        except Exception:
            _logger.exception("a batch of worker %d could not be taken", worker.place)
            answer = messages.Failed()
        # Then, as its requests need not wait for that.
        worker.send(answer)
        self._counting.flush_if_full()

    def _end(self, worker: WorkerProcess) -> str:
        """See to what a worker leaves that has ended; returns how it has."""
        how = worker.ended()
        self._held[worker.place] = 0
        with self._changed:
            del self._alive[worker.place]
        if not worker.listens:
            self._fail(f"a worker {how}; its log says why")
        self._change(worker, listens=False)
        return how

    def _fail(self, failure: str) -> None:
        """Note why a worker does not listen, if it does not, unless that is known already."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def _change(self, worker: WorkerProcess, *, listens: bool | None = None, answered: int = 0) -> None:
        with self._changed:
            worker.listens = worker.listens if listens is None else listens
            worker.answered = max(worker.answered, answered)
            self._changed.notify_all()
            nobody = not self._listening and not self._stopping.is_set()
        self._health.report("workers", "no worker takes requests at the moment" if nobody else None)

    @property
    def _listening(self) -> int:
        return sum(worker.listens for worker in self._alive.values())

    def _ask(self) -> None:
        """Have every worker tell what it has not told yet."""
        with self._changed:
            self._question = number = self._question + 1
            asked = [worker for worker in self._alive.values() if worker.listens]
        for worker in asked:
            worker.send(messages.Ask(number))
        with self._changed:
            self._changed.wait_for(
                lambda: all(each.answered >= number or not each.listens for each in asked), _ASK_SECONDS
            )

    def _tell(self) -> None:
        """Tell them whether the collector takes data."""
        with self._changed:  # so that what they hear last is how it is
            self._send(messages.Condition(self._health.problem or ""))

    def _send(self, message: messages.Message) -> None:
        for worker in list(self._alive.values()):
            worker.send(message)

    def _share(self) -> Config:
        return share(self._config, self._count, self._receivers.grpc.port, self._receivers.http.port)
