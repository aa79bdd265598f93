"""What AWS clients trust: the usual authorities, or those of a bundle that is named; read once for all clients. And how
many connections they keep.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasks.aws.client.transport import SharedTrust
from tests.servers.hostile import at_once, head, running


class Ok(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A certificate that signs itself, and its key in a file beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8, open_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, open_))
    (tmp_path / "bundle.pem").write_bytes(certificate.public_bytes(pem))
    return tmp_path / "bundle.pem"


@pytest.fixture
def url(bundle: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ok)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, bundle.with_name("key.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def status(url: str, verify: bool | str) -> int:
    async def ask() -> int:
        async with SharedTrust(verify=verify) as transport:  # type: ignore[arg-type]  # a path, as botocore has it
            response = await transport.send(AWSPreparedRequest("GET", url, HTTPHeaders(), None, False))
            return int(response.status_code)

    return asyncio.run(ask())


def test_a_stranger_is_not_trusted(url: str) -> None:
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        status(url, verify=True)


def test_whom_a_bundle_names_is_trusted(url: str, bundle: Path) -> None:
    assert status(url, verify=str(bundle)) == 200


def test_a_bundle_of_one_client_is_not_trusted_by_another(url: str, bundle: Path) -> None:
    assert status(url, verify=str(bundle)) == 200
    with pytest.raises(SSLError):
        status(url, verify=True)


def test_clients_share_what_was_read() -> None:
    async def trust() -> object:
        async with SharedTrust() as transport:
            connector: Any = (await transport._get_session(None)).connector
            return connector._ssl

    assert asyncio.run(trust()) is asyncio.run(trust())


def test_responses_that_break_off_use_up_no_connections() -> None:
    """Once the pool of a client has none left, each of its calls would wait for one until it is given up."""
    errors: list[BaseException] = []  # kept, as those of an attempt are until it ends

    async def ask(url: str) -> None:
        request = AWSPreparedRequest("GET", url, HTTPHeaders(), None, False)
        async with SharedTrust(max_pool_connections=2) as transport, asyncio.timeout(20):
            for _ in range(5):
                with pytest.raises(BotoCoreError) as raised:
                    await transport.send(request)
                errors.append(raised.value)

    with running(at_once(head("text/xml", "Content-Length: 100"), b"<Buckets>")) as url:
        asyncio.run(ask(url))
    assert len(errors) == 5
