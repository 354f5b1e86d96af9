"""OTLP over gRPC and HTTP, and feedback, in one process: what is taken in there goes to one intake."""

from llmvitals_collector.config import Config, Receivers
from llmvitals_collector.feedback.endpoint import FeedbackEndpoint
from llmvitals_collector.health import Health
from llmvitals_collector.lifecycle import GRACE_SECONDS
from llmvitals_collector.receivers import Intake
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.cors import CorsPolicy
from llmvitals_collector.receivers.otlp_grpc import OtlpGrpc
from llmvitals_collector.receivers.otlp_http import OtlpHttp
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.tokens import BearerTokens


class OtlpReceivers:
    """The servers that clients send to. Building them opens nothing.

    shared: whether other processes listen on their addresses, too.

    Raises:
        ConfigError: a file that the configuration names cannot be read.
    """

    def __init__(
        self,
        config: Receivers,
        intake: Intake,
        admission: Admission,
        telemetry: Telemetry,
        health: Health,
        *,
        shared: bool = False,
    ) -> None:
        self._admission = admission
        self._feedback = FeedbackEndpoint(config.feedback, intake, telemetry)
        self.grpc = OtlpGrpc(config.grpc, intake, admission, health, shared=shared)
        self.http = OtlpHttp(config.http, intake, admission, self._feedback.routes, shared=shared)

    def start(self) -> None:
        """Listen.

        Raises:
            PortError: an address cannot be had.
        """
        self.grpc.start()
        self.http.start()

    def reload(self, config: Config) -> None:
        """Take another configuration over, all of it or nothing; what takes a restart is as it was.

        Raises:
            ConfigError: a file that they name cannot be read.
        """
        receivers = config.receivers
        grpc = BearerTokens(receivers.grpc.auth, "receivers.grpc.auth")
        http = BearerTokens(receivers.http.auth, "receivers.http.auth")
        # From here on nothing fails.
        self.grpc.tokens, self.http.tokens = grpc, http
        self.http.cors = CorsPolicy(receivers.http.cors)
        self._feedback.configure(receivers.feedback)
        self._admission.limit = receivers.max_in_flight_bytes

    def stop(self) -> None:
        """Take no more, and finish what is in flight; safe without a start, and twice."""
        self._admission.drain(GRACE_SECONDS)
        self.http.stop()
        self.grpc.stop()
