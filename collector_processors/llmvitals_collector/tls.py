"""TLS of a server, with certificates that are renewed without a restart."""

import ssl
from collections.abc import Callable
from typing import NamedTuple

import grpc

from llmvitals_collector.config import ConfigError, Tls
from llmvitals_collector.reread import Reread, read


class _Certificates(NamedTuple):
    chain: bytes
    key: bytes
    client_ca: bytes | None
    context: ssl.SSLContext


class ServerTls:
    """The settings of one server, which the configuration has under `key`; false where it speaks without TLS.

    Raises:
        ConfigError: a file cannot be read, or does not hold what it should.
    """

    def __init__(self, config: Tls, key: str) -> None:
        self._config = config
        self._key = key
        files = [file for file in (config.cert_file, config.key_file, config.client_ca_file) if file]
        self._certificates = Reread(self._read, files) if files else None

    def __bool__(self) -> bool:
        return self._certificates is not None

    def ssl_context(self) -> ssl.SSLContext:
        """A context whose connections begin with the certificates that are valid then."""
        certificates = self._certificates
        assert certificates  # noqa: S101 - who has no TLS does not ask

        def renew(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = certificates.current().context

        context = certificates.current().context
        # Called in each handshake, whether or not the client names a server.
        context.sni_callback = renew
        return context

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Credentials whose connections begin with the certificates that are valid then."""
        certificates = self._certificates
        assert certificates  # noqa: S101 - who has no TLS does not ask

        def renew() -> grpc.ServerCertificateConfiguration:
            return _grpc_configuration(certificates.current())

        asks = bool(self._config.client_ca_file)
        return grpc.dynamic_ssl_server_credentials(renew(), renew, require_client_authentication=asks)

    def _read(self) -> _Certificates:
        config, key = self._config, self._key
        chain = read(config.cert_file, f"{key}.cert_file")
        private = read(config.key_file, f"{key}.key_file")
        client_ca = read(config.client_ca_file, f"{key}.client_ca_file") if config.client_ca_file else None
        # Both servers are given what this has understood, as gRPC would say nothing until a client comes.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A session that goes on would go round a renewed authority.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        _understood(
            f"{key}.cert_file",
            "a certificate in PEM with the key of key_file",
            lambda: context.load_cert_chain(config.cert_file, config.key_file, password=""),
        )
        if client_ca is not None:
            _understood(
                f"{key}.client_ca_file",
                "certificates in PEM",
                lambda: context.load_verify_locations(cadata=client_ca.decode("ascii", "replace")),
            )
            context.verify_mode = ssl.CERT_REQUIRED
        return _Certificates(chain, private, client_ca, context)


def _understood(key: str, wanted: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"{key}: the file is not {wanted}") from error


def _grpc_configuration(certificates: _Certificates) -> grpc.ServerCertificateConfiguration:
    pair = [(certificates.key, certificates.chain)]
    return grpc.ssl_server_certificate_configuration(pair, certificates.client_ca)
