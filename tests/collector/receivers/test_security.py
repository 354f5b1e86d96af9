"""Only clients that are known are let in: by a bearer token, by a certificate, and what they send is encrypted."""

import datetime
import ipaddress
import ssl
import urllib.error
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.rpc.code_pb2 import Code
from msgspec.structs import replace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from llmvitals import semconv
from llmvitals_collector.config import Auth, ConfigError, Tls
from llmvitals_collector.tls import ServerTls
from llmvitals_collector.tokens import BearerTokens

OLD, NEW = "the-old-token-of-ours", "the-new-token-of-ours"


class Authority:
    """Gives out certificates, in PEM files of a folder."""

    def __init__(self, folder, name):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = self._write(
            f"{name}.pem", self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        )

    def issue(self, name):
        """A certificate for 127.0.0.1: its file and that of its key, which are renewed where they exist."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, address)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write(f"{name}.pem", certificate), self._write(f"{name}.key", secret)

    def _signed(self, name, key, extension):
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
            now + datetime.timedelta(days=1)
        )
        signed = builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def _write(self, name, content):
        # Replaced at once, as those who renew certificates do.
        written = self._folder / f"{name}.new"
        written.write_bytes(content)
        return str(written.replace(self._folder / name))


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


@pytest.fixture
def tls(authority):
    cert_file, key_file = authority.issue("server")
    return Tls(cert_file=cert_file, key_file=key_file)


@pytest.fixture
def secured(protocol):
    """What a client needs to know an authority, and to be known by a certificate of its own."""

    def trust(ca_file, cert_file=None, key_file=None):
        if protocol == "http":
            context = ssl.create_default_context(cafile=ca_file)
            if cert_file:
                context.load_cert_chain(cert_file, key_file)
            return context
        ca, key, chain = (Path(file).read_bytes() if file else None for file in (ca_file, key_file, cert_file))
        return grpc.ssl_channel_credentials(ca, key, chain)

    return trust


def with_both(settings, **changes):
    return replace(settings, grpc=replace(settings.grpc, **changes), http=replace(settings.http, **changes))


def is_let_in(send, **options):
    try:
        return send(b"a batch", **options).body == b"" and not send(b"a batch", **options).status
    except (urllib.error.URLError, ssl.SSLError, ConnectionError):
        return False


class TestTls:
    @pytest.fixture
    def settings(self, settings, tls):
        return with_both(settings, tls=tls)

    def test_a_client_that_trusts_the_authority_is_served(self, send, intake, authority, secured):
        assert is_let_in(send, secure=secured(authority.file))

    def test_a_client_that_trusts_another_authority_goes_away(self, send, tmp_path, secured):
        assert not is_let_in(send, secure=secured(Authority(tmp_path, "stranger").file))

    def test_a_renewed_certificate_is_there_with_the_next_connection(self, send, tmp_path, secured):
        """Without a restart and without a signal."""
        successor = Authority(tmp_path, "successor")
        assert not is_let_in(send, secure=secured(successor.file))
        successor.issue("server")
        assert is_let_in(send, secure=secured(successor.file))

    def test_a_certificate_that_is_damaged_is_not_taken_over(self, send, authority, secured, tls, caplog):
        Path(tls.cert_file).write_text("no certificate")
        assert is_let_in(send, secure=secured(authority.file))
        assert "tls.cert_file: the file is not a certificate in PEM with the key of key_file" in caplog.text
        assert "what was read before stays" in caplog.text

    def test_opentelemetrys_exporters_come_through(self, receivers, protocol, intake, authority, monkeypatch):
        # Where they are set, requests prefers them to what it is told.
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
        if protocol == "grpc":
            trusted = grpc.ssl_channel_credentials(Path(authority.file).read_bytes())
            exporter = GrpcSpanExporter(f"https://127.0.0.1:{receivers.grpc.port}", credentials=trusted)
        else:
            url = f"https://127.0.0.1:{receivers.http.port}/v1/traces"
            exporter = HttpSpanExporter(url, certificate_file=authority.file)
        span = TracerProvider().get_tracer("test").start_span("call")
        assert exporter.export([span]) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert len(intake.bodies) == 1


class TestClientCertificates:
    @pytest.fixture
    def guests(self, tmp_path):
        return Authority(tmp_path, "guests")

    @pytest.fixture
    def settings(self, settings, tls, guests):
        return with_both(settings, tls=replace(tls, client_ca_file=guests.file))

    def test_a_client_with_a_certificate_of_the_authority_is_let_in(self, send, authority, guests, secured):
        assert is_let_in(send, secure=secured(authority.file, *guests.issue("client")))

    def test_a_client_without_a_certificate_is_not(self, send, intake, authority, secured):
        assert not is_let_in(send, secure=secured(authority.file))
        assert intake.bodies == []

    def test_a_client_of_another_authority_is_not(self, send, intake, authority, secured):
        assert not is_let_in(send, secure=secured(authority.file, *authority.issue("client")))
        assert intake.bodies == []

    def test_a_renewed_authority_no_longer_lets_the_old_one_s_clients_in(
        self, send, tmp_path, authority, guests, secured
    ):
        (tmp_path / "elsewhere").mkdir()
        successor = Authority(tmp_path / "elsewhere", "guests")
        old, new = guests.issue("old client"), successor.issue("new client")
        assert is_let_in(send, secure=secured(authority.file, *old))
        Path(successor.file).replace(guests.file)
        assert is_let_in(send, secure=secured(authority.file, *new))
        assert not is_let_in(send, secure=secured(authority.file, *old))


class TestTokens:
    @pytest.fixture
    def settings(self, settings, tmp_path):
        (tmp_path / "tokens").write_text(f"{OLD}\n\n")
        auth = Auth(bearer_tokens=("one-from-the-configuration",), bearer_tokens_file=str(tmp_path / "tokens"))
        return with_both(settings, auth=auth)

    @pytest.mark.parametrize(
        "authorization", [None, "Bearer wrong", f"Basic {OLD}", f"Bearer {OLD}x", "Bearer ", f"{OLD}", "Bearer \u00e9"]
    )
    def test_a_client_without_a_token_of_ours_is_refused(self, send, protocol, intake, authorization):
        if authorization == "Bearer \u00e9" and protocol == "grpc":
            authorization = "Bearer ~"  # gRPC's clients send ASCII only
        answer = send(b"a batch", authorization=authorization)
        assert answer.status.code == Code.UNAUTHENTICATED
        assert (answer.code.value[0] == Code.UNAUTHENTICATED) if protocol == "grpc" else (answer.code == 401)
        assert answer.message == "the request needs a bearer token that this receiver knows"
        assert intake.refused == {(protocol, semconv.UNAUTHENTICATED): 1}
        assert intake.bodies == []

    @pytest.mark.parametrize("authorization", [f"Bearer {OLD}", f"bearer {OLD}", "Bearer one-from-the-configuration"])
    def test_a_client_with_one_of_our_tokens_is_let_in(self, send, authorization):
        assert is_let_in(send, authorization=authorization)

    def test_a_token_is_replaced_without_a_restart(self, send, tmp_path):
        (tmp_path / "tokens").write_text(f"{OLD}\n{NEW}\n")
        assert is_let_in(send, authorization=f"Bearer {OLD}")
        assert is_let_in(send, authorization=f"Bearer {NEW}")
        (tmp_path / "tokens").write_text(f"{NEW}\n")
        assert not is_let_in(send, authorization=f"Bearer {OLD}")

    def test_a_file_without_tokens_does_not_open_the_door(self, send, tmp_path, caplog):
        (tmp_path / "tokens").write_text("")
        assert not is_let_in(send)
        assert is_let_in(send, authorization=f"Bearer {OLD}")
        assert "is to have a token on each line, of at least 16 characters; what was read before stays" in caplog.text

    def test_no_token_is_ever_logged(self, send, tmp_path, caplog):
        (tmp_path / "tokens").write_text("short")
        send(b"a batch", authorization=f"Bearer {NEW}")
        assert OLD not in caplog.text
        assert NEW not in caplog.text
        assert "short" not in caplog.text


def test_files_that_are_no_good_are_told_with_their_key(tmp_path, authority):
    cert_file, key_file = authority.issue("server")
    other_cert, _ = authority.issue("other")
    none = str(tmp_path / "none")
    for config, sentence in [
        (Tls(cert_file=none, key_file=key_file), f"x.cert_file: {none} cannot be read: No such file or directory"),
        (
            Tls(cert_file=other_cert, key_file=key_file),
            "x.cert_file: the file is not a certificate in PEM with the key",
        ),
        (Tls(cert_file=cert_file, key_file=key_file, client_ca_file=key_file), "x.client_ca_file: the file is not"),
    ]:
        with pytest.raises(ConfigError) as raised:
            ServerTls(config, "x")
        assert str(raised.value).startswith(sentence)
    with pytest.raises(ConfigError, match=r"^x\.bearer_tokens_file: .*none cannot be read: No such file or directory$"):
        BearerTokens(Auth(bearer_tokens_file=none), "x")
