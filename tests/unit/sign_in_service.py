"""Microsoft's sign-in service as far as azure-identity talks to it, on this machine, over TLS.

Paths, fields and error bodies by Microsoft's documentation of the identity platform's token, device
authorization and authorization endpoints. Everything secret that it gives out contains `MARK`.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

MARK = "S3CRETmark"
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "99999999-8888-7777-6666-555555555555"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def jwt(**claims: object) -> str:
    """A token as Entra makes them, with a signature of nobody."""
    parts = [{"alg": "RS256", "typ": "JWT"}, claims]
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    ]
    return ".".join([*encoded, f"{MARK}-signature"])


def person(scope: str = "", expires_in: int = 3600, **more: object) -> str:
    """An access token of a person."""
    return jwt(
        **{"aud": scope, "exp": int(time.time()) + expires_in, "tid": TENANT, "appid": AZURE_CLI},
        **{"upn": "ada@contoso.example", **more},
    )


@dataclass
class SignInService:
    """What was asked, and what shall be answered."""

    url: str
    authority_file: Path
    asked: list[dict[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    """An error text for requests whose scope contains the key; "" is every scope."""
    pending: int = 0
    """How many times a device code is not entered yet."""

    @property
    def library(self) -> dict[str, object]:
        """What azure-identity needs to come here."""
        return {"authority": self.url, "disable_instance_discovery": True, **self.trust}

    @property
    def trust(self) -> dict[str, object]:
        """The same for a credential that finds its way here by itself."""
        return {"connection_verify": str(self.authority_file), "retry_total": 0}

    @property
    def scopes(self) -> list[str]:
        """The scope of every request for a token."""
        return [each["scope"].split()[0] for each in self.asked]

    async def configuration(self, request: web.Request) -> web.Response:
        base = f"{self.url}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        )

    async def device_code(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "user_code": "ABCD-1234",
                "device_code": f"{MARK}-device-code",
                "verification_uri": "https://login.example/device",
                "expires_in": 900,
                "interval": 1,
                "message": "enter it",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        form["tenant"] = request.match_info["tenant"]
        if form["grant_type"].endswith("device_code") and self.pending:
            self.pending -= 1
            return web.json_response({"error": "authorization_pending"}, status=400)
        self.asked.append(form)
        scope = form.get("scope", "")
        for part, text in self.errors.items():
            if part in scope:
                body = {"error": "invalid_grant", "error_description": text, "error_codes": []}
                return web.json_response(body, status=400)
        by_person = (
            form["grant_type"] in ("authorization_code",) or "device_code" in form["grant_type"]
        )
        answer: dict[str, object] = {"token_type": "Bearer", "expires_in": 3600, "scope": scope}
        if by_person:
            answer["access_token"] = person(scope)
            answer["refresh_token"] = f"{MARK}-refresh"
            answer["id_token"] = jwt(
                aud=form["client_id"], iss=f"{self.url}/{TENANT}/v2.0", sub="s", tid=TENANT,
                preferred_username="ada@contoso.example", iat=int(time.time()),
                exp=int(time.time()) + 3600, **_nonce(form),
            )  # fmt: skip
            uid = base64.urlsafe_b64encode(json.dumps({"uid": "u", "utid": TENANT}).encode())
            answer["client_info"] = uid.rstrip(b"=").decode()
        else:
            answer["access_token"] = jwt(
                aud=scope, tid=TENANT, appid=form["client_id"], idtyp="app"
            )
        return web.json_response(answer)


def _nonce(form: dict[str, str]) -> dict[str, str]:
    """The browser below passes the nonce on as the code's end."""
    return {"nonce": form["code"].rpartition(":")[2]} if "code" in form else {}


class ObedientBrowser(webbrowser.BaseBrowser):
    """A browser in which somebody signs in at once, and that comes back as Entra's form does."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        form = {"code": f"{MARK}-code:{query.get('nonce', '')}", "state": query["state"]}
        body = urlencode(form).encode()

        def come_back() -> None:
            with urlopen(Request(query["redirect_uri"], data=body), timeout=60) as answer:
                answer.read()

        threading.Thread(target=come_back, daemon=True).start()
        return True


@asynccontextmanager
async def sign_in_service(folder: Path) -> AsyncIterator[SignInService]:
    """Run the service; its certificate is made for this once."""
    certificate, key = make_certificate()
    pem = folder / "sign-in-service.pem"
    pem.write_bytes(key + certificate)
    authority = folder / "authority.pem"
    authority.write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    service = SignInService("", authority)
    app = web.Application()
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", service.configuration)
    app.router.add_post("/{tenant}/oauth2/v2.0/devicecode", service.device_code)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", service.token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    service.url = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


def make_certificate(*, rsa_key: bool = False) -> tuple[bytes, bytes]:
    """A self-signed certificate for localhost and its key, as PEM."""
    key = (
        rsa.generate_private_key(65537, 2048)
        if rsa_key
        else ec.generate_private_key(ec.SECP256R1())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def fake_az(folder: Path, script: str) -> None:
    """An Azure CLI on `folder`, which belongs on PATH. It writes its arguments to `folder/asked`."""
    program = folder / "az"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/asked"\n{script}\n')
    program.chmod(0o755)
