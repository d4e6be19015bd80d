"""The ways in to one's own resource: VS Code's Microsoft account, and a key among VS Code's secrets.

The embedded service stands in for Azure, and takes nothing but the one token or key of the test. VS Code's
provider of Microsoft accounts is replaced by one whose account is nobody's.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from playwright.async_api import Playwright, expect
from tests.page.backends import running
from tests.unit.sign_in_service import MARK, person
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, CallFrame, Origin, Server, Workbench, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "fedcba9876543210fedcba9876543210"
STAND_IN = Path(__file__).parent / "microsoft-account"


@asynccontextmanager
async def azure(folder: Path, standing: str) -> AsyncIterator[str]:
    """The embedded service, which takes this token or key only; its address."""
    folder.mkdir()  # noqa: ASYNC240 - at once
    variables = {"VOICEPILOT_EMULATOR_API_KEY": standing}
    async with running("emulator", "--port", "0", folder=folder, variables=variables) as service:
        yield await service.says(r"http://127\.0\.0\.1:\d+")


async def install_account(server: Server, token: str) -> Path:
    """Install the stand-in of VS Code's provider; where it lies."""
    vsix = server.folder.parent / "account.vsix"
    with zipfile.ZipFile(vsix, "w") as package:
        for file in STAND_IN.iterdir():
            package.write(file, f"extension/{file.name}")
    await server.install(vsix)
    (place,) = (server.folder / "extensions").glob("voicepilot-tests.*")
    (place / "token.txt").write_text(token)
    return place


def written_with(secret: str, folder: Path) -> Iterator[Path]:
    """The files below ``folder`` that hold it."""
    for file in folder.rglob("*"):
        with suppress(OSError):
            if file.is_file() and secret.encode() in file.read_bytes():
                yield file


def processes_with(secret: str, server: Server) -> list[str]:
    """Whose command line has it, and which process of VS Code has it in its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            ours = str(server.folder).encode() in command + (process / "environ").read_bytes()
            shown = command + ((process / "environ").read_bytes() if ours else b"")
            if secret.encode() in shown:
                found.append(command.decode())
    return found


async def type_in(workbench: Workbench, prompt: str, text: str) -> None:
    """Answer a question of the extension."""
    widget = workbench.page.locator(".quick-input-widget")
    await expect(widget).to_contain_text(prompt, timeout=SOON)
    await widget.locator("input").first.fill(text)
    await workbench.page.keyboard.press("Enter")


async def told(workbench: Workbench, words: str) -> None:
    """Wait for a notification with these words."""
    notification = workbench.page.locator(".notification-list-item", has_text=words)
    await expect(notification.first).to_be_visible(timeout=SOON)


async def talk_and_stop(workbench: Workbench) -> None:
    """Hold a short call in the panel."""
    await workbench.run("VoicePilot: Talk")
    call = CallFrame(await workbench.panel())
    await call.state("listening", "user-speaking", "thinking", "assistant-speaking")
    await workbench.run("VoicePilot: Stop")
    await call.state("ended")


async def test_signed_in_with_the_account_of_vs_code(
    playwright: Playwright, serve: Serve, tmp_path: Path
) -> None:
    token = person()
    async with azure(tmp_path / "azure", token) as address:
        settings = {"endpoint": address, "deployment": "voice", "tenant": "contoso.example"}
        async with serve(
            **{f"voicepilot.{name}": text for name, text in settings.items()}
        ) as server:
            account = await install_account(server, token)
            async with (
                chromium(playwright, Origin.SAME) as browser,
                window(browser, server) as workbench,
            ):
                await workbench.run("VoicePilot: Sign In")
                await workbench.press("Allow")
                await told(workbench, "ada@contoso.example of tenant")
                (scopes,) = (account / "asked.jsonl").read_text().splitlines()
                assert json.loads(scopes) == [
                    "https://ai.azure.com/.default",
                    "VSCODE_TENANT:contoso.example",
                ]
                await talk_and_stop(workbench)
                assert not processes_with(MARK, server)
                assert list(written_with(MARK, server.folder)) == [account / "token.txt"]


async def test_set_up_with_a_key_that_survives_the_window(
    playwright: Playwright, serve: Serve, tmp_path: Path
) -> None:
    async with (
        azure(tmp_path / "azure", KEY) as address,
        serve() as server,
        chromium(playwright, Origin.SAME) as browser,
        window(browser, server) as workbench,
    ):
        await workbench.run("VoicePilot: Set Up Azure")
        await type_in(workbench, "The endpoint", "https://portal.azure.com")
        await type_in(workbench, "is the Azure portal", f"{address}/openai/v1")
        await type_in(workbench, "deployment of a gpt-realtime model", "voice")
        await type_in(workbench, "transcription deployment", "words")
        await workbench.choose("API key")
        await type_in(workbench, "Leave it empty to forget", KEY)
        report = workbench.page.get_by_role("tab", name="VoicePilot Doctor")
        await expect(report.first).to_be_visible(timeout=2 * SOON)
        await talk_and_stop(workbench)

        await workbench.page.reload()
        await workbench.run("VoicePilot: Sign In")
        await told(workbench, "the API key from the host")

        kept = [json.loads(file.read_text()) for file in server.folder.rglob("*/settings.json")]
        assert address in [each.get("voicepilot.endpoint") for each in kept]
        assert not list(written_with(KEY, server.folder))
        assert not processes_with(KEY, server)

        await workbench.run("VoicePilot: Set API Key")
        await type_in(workbench, "Leave it empty to forget", "")
        await told(workbench, "No API key is kept any more")
        await workbench.run("VoicePilot: Sign In")
        await told(workbench, "There is no API key")
