"""Over TLS a backend is who its certificate says, and may ask the same of us."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llmvitals_collector.config import ConfigError
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.forward.config import DestinationTls, ForwardConfig, ForwardRetry
from llmvitals_collector.receivers import Signal


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


@pytest.fixture(params=["http", "grpc"])
def mutual(request, backends, certificate):
    """A backend of either protocol that wants to see a certificate."""
    chain, key = certificate
    if request.param == "grpc":
        pair = [(key.read_bytes(), chain.read_bytes())]
        made = backends["grpc"](grpc.ssl_server_credentials(pair, chain.read_bytes(), require_client_auth=True))
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        context.load_verify_locations(chain)
        context.verify_mode = ssl.CERT_REQUIRED
        made = backends["http"](context)
    yield made
    made.close()


def test_both_sides_show_their_certificates(mutual, forward, counts, certificate):
    chain, key = map(str, certificate)
    forwarding = forward(mutual, tls=DestinationTls(ca_file=chain, cert_file=chain, key_file=key))
    forwarding.offer(Signal.TRACES, b"", Encoding.PROTOBUF, 3)
    forwarding.stop()
    assert counts()["sent_spans_total"] == 3


@pytest.mark.parametrize("bundle", [False, True], ids=["", "even where the environment names its authority"])
def test_a_backend_that_no_trusted_authority_knows_gets_nothing(
    mutual, forward, counts, certificate, monkeypatch, tmp_path, bundle
):
    chain, key = map(str, certificate)
    other = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    if bundle:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", chain)
    tls = DestinationTls(ca_file=other, cert_file=chain, key_file=key)
    forwarding = forward(mutual, tls=tls, timeout_seconds=5, retry=ForwardRetry(total_seconds=0.01))
    forwarding.offer(Signal.TRACES, b"", Encoding.PROTOBUF, 3)
    forwarding.stop()
    assert mutual.received == []
    assert counts()["send_failed_spans_total"] == 3


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_file_that_cannot_be_read_is_told_with_its_key(telemetry, protocol):
    config = ForwardConfig(
        endpoint="https://127.0.0.1:1", protocol=protocol, tls=DestinationTls(ca_file="/nowhere/ca.pem")
    )
    with pytest.raises(ConfigError, match=r"^forward\.mine\.tls\.ca_file: /nowhere/ca\.pem cannot be read: "):
        Forward({"mine": config}, telemetry)
