"""A process that receives: the servers, decoding and forwarding, for another process that counts."""

import logging
import os
import signal
from threading import Event, Thread

from llmvitals_collector.allocation import share_arena
from llmvitals_collector.config import Config, ConfigError
from llmvitals_collector.debug import Debug
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.health import Health
from llmvitals_collector.intake import Intake
from llmvitals_collector.lifecycle import PortError
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.otlp import OtlpReceivers
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.workers import messages
from llmvitals_collector.workers.messages import Connection
from llmvitals_collector.workers.remote import RemoteCounting
from llmvitals_collector.workers.reporting import Reporting

_logger = logging.getLogger(__name__)


class Worker:
    """What runs in a worker; account: the bytes that each process has in flight, of which `place` are its own."""

    def __init__(self, config: Config, connection: Connection, account: memoryview, place: int) -> None:
        telemetry = Telemetry(config.limits.label_sets, ())
        debug = Debug(config.debug)
        admission = Admission(config.receivers.max_in_flight_bytes)
        admission.share(account, place)
        self._connection = connection
        self._stopping = Event()
        self._health = Health()
        self._reporting = Reporting(telemetry, debug)
        self._counting = RemoteCounting(connection, self._reporting, telemetry)
        self._forward = Forward(config.forward, telemetry)
        self._intake = Intake(self._counting, telemetry, debug, self._forward, self._health)
        self._intake.content = config.evaluation.enabled
        self._receivers = OtlpReceivers(config.receivers, self._intake, admission, telemetry, self._health, shared=True)

    def run(self) -> None:
        """Take requests until the process that counts has them stopped.

        Raises:
            PortError: an address cannot be had.
        """
        self._forward.start()
        try:
            self._receivers.start()
            Thread(target=self._listen, name="counting", daemon=True).start()
            self._connection.send(messages.Ready())
            self._stopping.wait()
        finally:
            self._receivers.stop()
            self._forward.stop()
        self._tell(0)

    def _listen(self) -> None:
        """Do as the process that counts says, and end with it."""
        try:
            while True:
                message, _ = self._connection.receive()
                self._follow(message)
        except OSError:
            _logger.error("the process that counts has ended, and so does its worker")  # noqa: TRY400 - says all
        except Exception:
            _logger.exception("the worker ends, as it failed on what the process that counts said")
        # Requests in flight are not answered, so that their clients send them again.
        os._exit(1)

    def _follow(self, message: messages.Message) -> None:
        match message:
            case messages.Stored() | messages.Failed():
                self._counting.answered(message)
            case messages.Ask(number):
                self._tell(number)
            case messages.Condition(problem):
                self._health.report("collector", problem)
            case messages.Reload(config):
                self._reload(config)
            case messages.Drain():
                self._stopping.set()

    def _tell(self, number: int) -> None:
        with self._reporting.order:
            self._connection.send(messages.Told(number, self._reporting.report()))

    def _reload(self, config: Config) -> None:
        try:
            self._receivers.reload(config)
        except ConfigError as error:
            # A file that was there a moment ago, when the process that counts had a look.
            _logger.error("%s; this worker's configuration stays as it was", error)  # noqa: TRY400 - says all
        else:
            self._intake.content = config.evaluation.enabled


def main(connection: Connection, account: memoryview) -> int:
    """Be a worker, and give the exit code."""
    # The process that counts is told to stop, and tells its workers.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    share_arena()
    start, _ = connection.receive()
    assert isinstance(start, messages.Start)  # noqa: S101 - nothing else comes first
    form = f"%(asctime)s %(levelname)s %(name)s: worker {start.place}: %(message)s"
    logging.basicConfig(format=form)
    logging.getLogger("llmvitals_collector").setLevel(logging.INFO)
    try:
        Worker(start.config, connection, account, start.place).run()
    except (ConfigError, PortError) as error:
        connection.send(messages.Ready(str(error)))
        return 1
    return 0
