"""Who are we to the service, and does it open a call for us? Settings, sign-in, scope, mint, SDP exchange."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from voicepilot.backend.azure.calls import Calls, DirectKey
from voicepilot.backend.azure.chosen import ChosenCredentials
from voicepilot.backend.azure.scopes import ScopeMemory
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.doctor.report import Outcome, State, failed, ok, skipped, warned
from voicepilot.backend.failure import Failure
from voicepilot.backend.serve import missing_settings
from voicepilot.protocol.problems import problem
from voicepilot.protocol.session_config import SessionConfig


def check_settings(configuration: Configuration) -> Outcome:
    """Look whether everything is set that a call needs."""
    missing = missing_settings(configuration)
    if missing:
        return Outcome(State.FAILED, "\n".join(missing).strip(), problem("settings-missing"))
    try:
        configuration.instructed()
    except Failure as failure:
        return failed(failure.problem)
    settings = configuration.settings
    found = f"{settings.endpoint}, deployment {settings.deployment}"
    if not settings.transcription_deployment:
        return warned(problem("transcription-unset"))
    return ok(f"{found}, transcription by {settings.transcription_deployment}.")


async def check_sign_in(credentials: ChosenCredentials) -> Outcome:
    """Sign in, and say as whom."""
    try:
        return ok(f"Calls are opened with {await credentials.describe()}.")
    except Failure as failure:
        return failed(failure.problem)


def check_scope(credentials: ChosenCredentials, scopes: ScopeMemory, endpoint: str) -> Outcome:
    """Say for which audience the service takes our tokens; known once a key was minted."""
    if credentials.way == "api-key":
        return skipped("An API key has no scope.")
    return ok(f"The service takes tokens for {scopes.scope(urlsplit(endpoint).netloc)}.")


async def check_mint(calls: Calls, session: SessionConfig) -> tuple[Outcome, DirectKey | None]:
    """Mint an ephemeral key with the configuration of a call; also return it."""
    began = time.monotonic()
    try:
        key = await calls.key(session, fresh=True)
    except Failure as failure:
        return failed(failure.problem), None
    took = (time.monotonic() - began) * 1000
    spoken = "the preview protocol" if key.dialect == "preview" else "the protocol GA"
    return ok(f"The service gave a key for {session.model} in {took:.0f} ms, in {spoken}."), key


async def check_offer(calls: Calls, key: DirectKey, offer: str) -> tuple[Outcome, str]:
    """Send an offer with the key, as a call does; also return the SDP answer, "" where there is none."""
    began = time.monotonic()
    try:
        opened = await calls.offer(key, offer)
    except Failure as failure:
        return failed(failure.problem), ""
    took = (time.monotonic() - began) * 1000
    return ok(f"The service answered the offer in {took:.0f} ms."), opened.sdp
