"""Azure behind its real names: a proxy that leads every `https://` to servers of the test, with certificates.

The proxy is a real one (CONNECT), the certificates are of an authority that only the test trusts, so the
addresses, the proxy and TLS that are tested are those that a person's calls go through.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from voicepilot.backend.page_server import listen

from .recorded_azure import Azure

RESOURCE = "resource.openai.azure.com"
REGION = "eastus2.realtimeapi-preview.ai.azure.com"
_DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of a test")])
        own = self._certificate(self._name, self._key, x509.BasicConstraints(True, None))
        self.file = folder / "authority.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(self, names: Sequence[str], begins: int = -1, ends: int = 1) -> ssl.SSLContext:
        """A server's side for these hosts; its certificate is valid between these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        certificate = self._certificate(subject, key, alternatives, begins, ends)
        file = self._folder / "server.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
        begins: int = -1,
        ends: int = 1,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        signing = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * _DAY)
            .not_valid_after(now + ends * _DAY)
            .add_extension(extension, critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signing), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(self._key, hashes.SHA256())
        )


@dataclass
class Proxy:
    """What it was asked, and how it shall refuse; `status` 0 lets everything through."""

    asked: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    status: int = 0


@asynccontextmanager
async def internet(
    service: Azure,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    names: Sequence[str] = (RESOURCE, REGION),
    days: tuple[int, int] = (-1, 1),
    trusted: bool = True,
) -> AsyncIterator[Proxy]:
    """Let `service` be reached under `names` by way of a proxy that the environment names."""
    authority = Authority(folder)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.take)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    context = authority.context(names, *days)
    await web.SockSite(runner, listener, ssl_context=context).start()
    proxy, tunnels = Proxy(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tunnels.add(task)
        with contextlib.closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            proxy.asked.append(head[0].split()[1])
            for line in head[1:]:
                name, _, value = line.partition(": ")
                if name.lower() == "proxy-authorization":
                    proxy.users.append(base64.b64decode(value.split()[1]).decode())
            if proxy.status:
                writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % proxy.status)
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there = await asyncio.open_connection(*listener.getsockname())
            with contextlib.closing(there[1]), contextlib.suppress(ConnectionError):
                ends = [pump(reader, there[1]), pump(there[0], writer)]
                await asyncio.wait(
                    [asyncio.ensure_future(end) for end in ends],
                    return_when=asyncio.FIRST_COMPLETED,
                )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://ada:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for variable in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", address)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    try:
        yield proxy
    finally:
        server.close()
        for task in tunnels:
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        await runner.cleanup()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, until it ends."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
