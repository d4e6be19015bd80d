"""Which command does what? The composition root: `voicepilot serve | demo | config | key | emulator | ...`.

Each command imports its own parts when it runs, so that `replay` needs the standard library only and
`--help` comes at once. Exit codes: 0 done, 1 failed while running, 2 could not start, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from voicepilot import __version__
from voicepilot.settings import TABLE, Setting, setting
from voicepilot.settings.refusal import masked

if TYPE_CHECKING:
    from voicepilot.backend.configuration import Configuration

_KEY_VARIABLE: Final = "VOICEPILOT_EMULATOR_API_KEY"
_OPTION: Final = "set_"
"""Before a setting's name where its option's value is kept: `port` is also an option of others."""
_OPTION_NAME: Final = re.compile(r"--[A-Za-z][A-Za-z-]{0,40}|-[A-Za-z]")
_EVERY_SETTING: Final = tuple(row.name for row in TABLE)
_KEY_DEEDS: Final = {
    "set": "keep a key, from a hidden prompt or standard input",
    "delete": "forget it",
    "status": "say whether there is one, and where",
}
_PAGE: Final = Path(__file__).parents[2] / "dist" / "page"
_PAGE_HELP: Final = "the built page (default: dist/page)"
_RECORD_HELP: Final = "write the calls into a new file, for an issue report; see docs/recording.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    parser = _parser()
    options, strange = parser.parse_known_args(arguments)
    if strange:
        parser.error(_not_understood(strange))
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        # A transcript may hold what this terminal's encoding lacks; better a "?" than no output.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    commands = {
        **{"serve": _serve, "demo": _demo, "config": _config, "doctor": _doctor, "key": _key},
        **{"emulator": _emulator, "replay": _replay, "transcripts": _transcripts},
    }
    try:
        return commands[options.command](options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `voicepilot replay ... | head`
        # Python flushes standard output once more at exit; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "voicepilot":
            raise
        return _sorry(
            f"The command {options.command} needs {error.name}, which is not installed. "
            "Run `python3 build.py serve` or `python3 build.py demo`, which set up everything, "
            "or install voicepilot[backend,azure,emulator]."
        )


class _Parser(argparse.ArgumentParser):
    """Says what it does not understand, and nothing of it that may be a key."""

    def error(self, message: str) -> NoReturn:
        super().error(masked(message))


def _not_understood(words: Sequence[str]) -> str:
    """The sentence on words that no option takes; values may be anything, so only options are named."""
    options = [found[0] for word in words if (found := _OPTION_NAME.match(word))]
    unnamed = len(words) - len(options)
    others = [f"{unnamed} not shown"] if unnamed else []
    return f"unrecognized arguments: {', '.join([*options, *others])}"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="voicepilot", description="Speak with your own realtime deployment.")
    parser.add_argument("--version", action="version", version=f"voicepilot {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser(
        "serve",
        help="talk with your own Azure OpenAI deployment",
        description="Talk with your own Azure OpenAI deployment, in the browser. Every setting can also "
        "stand in the environment or in the settings file; see docs/configuration.md.",
        usage="voicepilot serve [--no-browser] [--settings FILE] [--SETTING VALUE ...]",
        allow_abbrev=False,
    )
    serve.add_argument("--no-browser", action="store_true", help="only print the address")
    serve.add_argument("--page", type=Path, default=_PAGE, metavar="DIR", help=_PAGE_HELP)
    serve.add_argument("--record", type=Path, metavar="FILE", help=_RECORD_HELP)
    # VS Code's extension host starts us so, and gives its orders over the standard streams.
    serve.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)
    _add_settings(serve)

    demo = commands.add_parser("demo", help="talk in the browser, offline, without an account")
    demo.add_argument(
        "--transport",
        choices=("auto", "webrtc", "websocket"),
        default="auto",
        help="how calls go (default: WebRTC, or WebSocket where that gets no connection)",
    )
    demo.add_argument(
        "--port", type=_port, help="the page's port on 127.0.0.1 (default: 8777 or a free one)"
    )
    demo.add_argument("--no-browser", action="store_true", help="only print the address")
    demo.add_argument("--page", type=Path, default=_PAGE, metavar="DIR", help=_PAGE_HELP)
    demo.add_argument("--record", type=Path, metavar="FILE", help=_RECORD_HELP)
    demo.add_argument(
        "--transcripts", action="store_true", help="keep what is said; see docs/transcripts.md"
    )
    demo.add_argument(
        "--wheels",
        type=Path,
        metavar="DIR",
        help="a folder of wheels that the debugging page, at /debug, may install",
    )

    config = commands.add_parser("config", help="what is set, and where it comes from")
    shown = config.add_subparsers(dest="what", required=True, metavar="show | path")
    show = shown.add_parser(
        "show",
        help="every setting, its value and its place",
        usage="voicepilot config show [--json] [--settings FILE] [--SETTING VALUE ...]",
        allow_abbrev=False,
    )
    show.add_argument("--json", action="store_true", help="for programs")
    _add_settings(show)
    path = shown.add_parser("path", help="the settings file's path")
    path.add_argument("--settings", type=_file, metavar="FILE", help=argparse.SUPPRESS)

    doctor = commands.add_parser(
        "doctor",
        help="what is wrong with the set-up, and who can mend it",
        description="Try everything that a call needs, step by step, and say what to change. It opens one "
        "short call, for one spoken word. The settings are those of serve.",
        allow_abbrev=False,
    )
    doctor.add_argument(
        "--json", action="store_true", help="for a bug report; nothing secret is in it"
    )
    doctor.add_argument(
        "--no-browser", action="store_true", help="leave out microphone and loudspeaker"
    )
    _add_settings(doctor)

    key = commands.add_parser("key", help="keep the resource's API key in the system's keyring")
    deeds = key.add_subparsers(dest="deed", required=True, metavar="set | delete | status")
    for deed, words in _KEY_DEEDS.items():
        each = deeds.add_parser(deed, help=words, allow_abbrev=False)
        _add_settings(each, ("endpoint",))
        each.add_argument("key", nargs="*", action=_RefusedKey, help=argparse.SUPPRESS)

    emulator = commands.add_parser(
        "emulator", help="the embedded realtime service alone, for any realtime client"
    )
    emulator.add_argument(
        "--port", type=_port, required=True, help="port on 127.0.0.1; 0 takes a free one"
    )
    emulator.add_argument(
        "--api-key",
        metavar="K",
        help=f"the key that clients must show (default: ${_KEY_VARIABLE}, else any key is good)",
    )
    emulator.add_argument(
        "--scenario",
        type=_scenario,
        action="append",
        default=[],
        metavar="NAME[:ARGUMENT]",
        help="have this fault from the start (repeatable; docs/scenarios.md lists them)",
    )
    emulator.add_argument(
        "--deployment",
        action="append",
        metavar="NAME",
        help="a deployment that there is (repeatable; default: any name)",
    )
    emulator.add_argument(
        "--transcription-deployment",
        action="append",
        metavar="NAME",
        help="a transcription deployment that there is (repeatable; default: any name)",
    )
    emulator.add_argument(
        "--recording",
        type=Path,
        metavar="FILE",
        help="play the calls of this recording to whoever calls; see docs/recording.md",
    )
    # For a parent process: the service must not outlive it, even when the parent is killed.
    emulator.add_argument("--end-with-stdin", action="store_true", help=argparse.SUPPRESS)

    replay = commands.add_parser("replay", help="read a recorded event log (JSONL)")
    replay.add_argument("file", type=Path, metavar="FILE.jsonl")
    replay.add_argument("--json", action="store_true", help="the report as JSON")

    transcripts = commands.add_parser("transcripts", help="what was said in earlier calls")
    wishes = transcripts.add_subparsers(
        dest="wish", required=True, metavar="list | show | export | delete"
    )
    wishes.add_parser("list", help="all that are kept, the newest first")
    show_transcript = wishes.add_parser("show", help="read one")
    show_transcript.add_argument("id", metavar="ID", help="as `list` shows it, or its beginning")
    export = wishes.add_parser(
        "export",
        help="write one as a document",
        usage="voicepilot transcripts export ID --as markdown|json|webvtt [FILE]",
    )
    export.add_argument("id", metavar="ID")
    export.add_argument(
        "--as",
        dest="form",
        nargs="+",
        required=True,
        metavar=("markdown|json|webvtt", "FILE"),
        help="its form, and a new file for it (default: standard output)",
    )
    delete = wishes.add_parser("delete", help="delete one, or all")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?")
    which.add_argument("--all", action="store_true", help="every transcript that is kept")
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str] = _EVERY_SETTING) -> None:
    """Give the command an option for these settings; `_configuration` reads them."""
    parser.add_argument(
        "--settings", type=_file, metavar="FILE", help="another settings file than the user's"
    )
    parser.add_argument(
        *("--api-key", "--apikey", "--key"),
        nargs="?",
        action=_RefusedKey,
        help=argparse.SUPPRESS,
    )
    group = parser.add_argument_group("settings")
    # The table judges the text, so that a mistake has one sentence wherever it stands.
    for row in map(setting, names):
        help_text = row.description.replace("%", "%%")
        group.add_argument(row.option, dest=_OPTION + row.name, help=help_text, **_takes(row))


def _takes(row: Setting) -> dict[str, Any]:
    match row.kind:
        case "flag":
            return {"nargs": "?", "const": "yes", "metavar": "yes|no"}
        case "choice":
            return {"metavar": "|".join(row.choices)}
        case "number" | "whole":
            return {"metavar": "N"}
    return {"metavar": "TEXT"}


class _RefusedKey(argparse.Action):
    def __call__(
        self, parser: argparse.ArgumentParser, _: object, values: object, __: object = None
    ) -> None:
        if values == []:  # a positional argument that was not given
            return
        parser.error(
            "a key on the command line can be read by everybody on this machine, and stays in the "
            "shell's history; put it into the environment as AZURE_OPENAI_API_KEY, or pipe it into "
            "voicepilot key set"
        )


def _configuration(
    options: argparse.Namespace, names: Collection[str] | None = None
) -> Configuration:
    """What is set, by all places; with `names` these settings only. Raises ConfigurationError."""
    from voicepilot.backend.configuration import Configuration

    given = {row.name: getattr(options, _OPTION + row.name, None) for row in TABLE}
    return Configuration.read(given, os.environ, Path.cwd(), options.settings, names)


def _file(text: str) -> Path:
    if not text.strip():  # a variable of a shell that is not set; Path("") is this folder
        raise argparse.ArgumentTypeError("a file's name is missing")
    return Path(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _scenario(text: str) -> str:
    from voicepilot.emulator.scenarios import UnknownScenarioError, read_scenario

    try:
        read_scenario(text)
    except UnknownScenarioError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _serve(options: argparse.Namespace) -> int:
    if options.stdio:
        from voicepilot.backend import host

        return host.run()
    from voicepilot.backend.configuration import ConfigurationError
    from voicepilot.backend.serve import ServeOptions, run

    try:
        configuration = _configuration(options)
    except ConfigurationError as error:
        return _sorry(str(error))
    return run(
        ServeOptions(
            options.page, Path.cwd(), configuration, not options.no_browser, options.record
        )
    )


def _config(options: argparse.Namespace) -> int:
    from voicepilot.backend.configuration import ConfigurationError, settings_file
    from voicepilot.backend.configuration_report import lines, report

    if options.what == "path":
        print(settings_file(os.environ, options.settings)[0])
        return 0
    try:
        configuration = _configuration(options)
    except ConfigurationError as error:
        return _sorry(str(error))
    shown = asyncio.run(report(configuration, os.environ))
    print(json.dumps(shown, indent=2) if options.json else "\n".join(lines(shown)))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from voicepilot.backend.doctor.program import DoctorOptions, run

    read = partial(_configuration, options)
    return run(DoctorOptions(read, as_json=options.json, browser=not options.no_browser))


def _key(options: argparse.Namespace) -> int:
    from voicepilot.backend.configuration import ConfigurationError
    from voicepilot.backend.key_keeping import run

    try:
        configuration = _configuration(options, ("endpoint", "credential"))
    except ConfigurationError as error:
        return _sorry(str(error))
    return run(options.deed, configuration.settings, os.environ)


def _demo(options: argparse.Namespace) -> int:
    from voicepilot.backend.demo import DemoOptions, run

    return run(
        DemoOptions(
            page=options.page,
            folder=Path.cwd(),
            port=options.port,
            open_browser=not options.no_browser,
            wheels=options.wheels,
            record=options.record,
            transport=options.transport,
            transcripts=options.transcripts,
        )
    )


def _emulator(options: argparse.Namespace) -> int:
    from voicepilot.backend.end_signals import on_end_signals
    from voicepilot.emulator.deployments import Deployments
    from voicepilot.emulator.recording import EmptyRecordingError, RecordedCalls
    from voicepilot.emulator.scenarios import Faults
    from voicepilot.emulator.service import run

    recorded = None
    if options.recording is not None:
        try:
            with options.recording.open("rb") as lines:
                recorded = RecordedCalls.read(lines)
        except OSError as error:
            return _sorry(f"{options.recording} cannot be read: {error.strerror}.")
        except EmptyRecordingError as error:
            return _sorry(f"{options.recording} cannot be played: {error}.")

    async def serve() -> None:
        ended = asyncio.Event()
        with on_end_signals(ended.set):
            if options.end_with_stdin:
                threading.Thread(target=_end_with_stdin, daemon=True).start()
            key = options.api_key or os.environ.get(_KEY_VARIABLE) or None
            faults = Faults(options.scenario)
            deployments = Deployments.named(options.deployment, options.transcription_deployment)
            await run(
                options.port,
                key,
                announce=partial(print, flush=True),
                until=ended,
                faults=faults,
                deployments=deployments,
                recorded=recorded,
            )

    try:
        asyncio.run(serve())
    except OSError as error:
        return _sorry(
            # error.strerror repeats the address; the sentence has it already.
            f"The service cannot listen on port {options.port} ({os.strerror(error.errno or 0)}). "
            "End the program that has it, or choose another with --port."
        )
    if threading.active_count() > 1:
        # A model that is still being loaded cannot be stopped, and Python would wait for its thread.
        sys.stdout.flush()
        logging.shutdown()
        os._exit(0)
    return 0


def _end_with_stdin() -> None:
    """Wait until whoever started us closes our standard input or is gone, then end politely."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def _replay(options: argparse.Namespace) -> int:
    from voicepilot.session.replay import read_log

    try:
        with options.file.open("rb") as lines:  # bytes that are no UTF-8 break their line only
            report = read_log(lines)
    except OSError as error:
        return _sorry(f"{options.file} cannot be read: {error.strerror}.")
    for number, reason in report.broken:
        print(f"line {number}: {reason}", file=sys.stderr)
    summary = report.to_json()
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        print("\n".join(_lines(summary)))
    return 0


def _transcripts(options: argparse.Namespace) -> int:
    from voicepilot.backend import transcript_commands as wishes
    from voicepilot.backend.transcripts import transcripts_folder

    folder = transcripts_folder()
    try:
        match options.wish:
            case "list":
                wishes.show_all(folder)
            case "show":
                wishes.show(folder, options.id)
            case "export":
                wishes.export(folder, options.id, *options.form)
            case "delete":
                wishes.delete(folder, None if options.all else options.id)
    except wishes.TranscriptError as error:
        return _sorry(str(error))
    return 0


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    """The replay's report for a person at a terminal."""
    session, usage = summary["session"], summary["usage"]
    for made in summary["requests"]:
        answer = f"{made['status']} in {made['ms']} ms" if made["status"] else "no answer"
        yield f"{made['method']} {made['path']}: {answer}"
    yield f"Session {session['id'] or 'unknown'}, model {session['model'] or 'unknown'}"
    yield ""
    for turn in summary["turns"]:
        # Nothing is known of what was said: a dash, not words that nobody said.
        text = "-" if turn["text"] is None else " ".join(turn["text"].split())
        yield f"{turn['role']:<10} {turn['status']:<12} {text}"
    yield ""
    for call in summary["tool_calls"]:
        output = "no output" if call["output"] is None else " ".join(str(call["output"]).split())
        yield f"Tool {call['name']}({call['arguments']}): {output}"
    yield f"Responses: {summary['responses']}"
    for failure in summary["failed_responses"]:
        yield f"Failed response: {failure['code']}: {failure['message']}"
    for failure in summary["errors"]:
        yield f"Error: {failure['code']}: {failure['message']}"
    for failure in summary["transcription_failures"]:
        yield f"Not transcribed, {failure['item_id']}: {failure['code']}: {failure['message']}"
    yield (
        f"Tokens: {usage['input_tokens']} in, {usage['output_tokens']} out, "
        f"{usage['total_tokens']} together"
    )
    for kind, count in summary["unknown"].items():
        yield f"Unknown event {kind}: {count}"


def _sorry(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
