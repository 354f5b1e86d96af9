"""What a worker is configured with, so that all of them together are as the configuration says."""

from msgspec.structs import replace

from llmvitals_collector.config import Config


def share(config: Config, workers: int, grpc_port: int, http_port: int) -> Config:
    """The configuration of one of several workers, who listen on these ports.

    The rates of feedback are divided, as each worker counts on its own; what is in flight all of them have in view.
    """
    receivers = config.receivers
    feedback = replace(
        receivers.feedback,
        client_requests_per_minute=_part(receivers.feedback.client_requests_per_minute, workers),
        answer_requests_per_minute=_part(receivers.feedback.answer_requests_per_minute, workers),
    )
    grpc = replace(receivers.grpc, address=_at(receivers.grpc.address, grpc_port))
    http = replace(receivers.http, address=_at(receivers.http.address, http_port))
    return replace(config, receivers=replace(receivers, grpc=grpc, http=http, feedback=feedback))


def _part(rate: int, workers: int) -> int:
    return -(-rate // workers)  # rounded up, so that it is never none


def _at(address: str, port: int) -> str:
    return f"{address.rpartition(':')[0]}:{port}"
