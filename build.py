#!/usr/bin/env python3
"""The one door for people: set up what is missing, then build, demo or test.

    python3 build.py demo [--port N] [--no-browser]
    python3 build.py serve [OPTIONS of voicepilot serve]
    python3 build.py test [quality] [unit] [emulator] [pyodide] [clients] [page] [vscode]
    python3 build.py bench [--json] [--runs N] [NAME...]
    python3 build.py build [--packed]
    python3 build.py package
    python3 build.py clean | lock

Standard library only, because nothing is installed yet when it starts. What it installs goes into
``.venv`` and the ``node_modules`` of ``webview/`` and ``extension/``, from locks with hashes, and is
skipped while a stamp holds the hash of its lock. A stamp is written last, so what was interrupted is
done again.
"""

import sys

# The rest of this file still parses with Python 3.6, so that older ones get here too.
if sys.version_info < (3, 11):
    sys.exit(
        "VoicePilot needs Python 3.11 or newer; this is {}.{} ({}).\n"
        "Install a newer one from https://www.python.org/downloads/ or your package manager and\n"
        "run build.py with it, for example: python3.11 build.py demo".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )

import argparse
import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "py" / "locks"
WEBVIEW = ROOT / "webview"
PAGE = ROOT / "dist" / "page"
PACKED_PAGE = ROOT / "dist" / "packed"
EXTENSION = ROOT / "extension"
LAID_OUT = ROOT / "dist" / "extension"
CODE_SERVER = ROOT / ".cache" / "code-server"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
PAGE_WHEELS = VENV / "page-wheels"
PAGE_PYTHON = "3.14"  # Pyodide's
NODE_AT_LEAST = 20
LARGEST_PACKAGE = 12_000_000

SUITES = ("quality", "unit", "emulator", "pyodide", "clients", "page", "vscode")
GATES = {
    "ruff lint": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
    "import contracts": ("lint-imports", "--no-logo"),
}
PAGE_INPUTS = (
    *(f"py/voicepilot/{name}" for name in ("__init__.py", "protocol", "session", "bridge")),
    *(f"py/voicepilot/{name}" for name in ("page", "debug", "bundle")),
    *(f"webview/{name}" for name in ("index.html", "debug.html", "worklets", "package-lock.json")),
    *(f"py/locks/{name}.txt" for name in ("page", "demo")),  # demo: the node that builds it
)
MADE = (
    *("dist", ".venv", "webview/node_modules", "test-results", ".cache"),
    *("extension/node_modules", "extension/dist"),
    *(".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache", ".import_linter_cache"),
)


class SetupError(Exception):
    """Something outside of this repository is missing; the text says what, and what to do."""


def main() -> int:
    """Run the command on the command line and return the exit status."""
    options = parse()
    # Asked to end, we end what we have started too, on the way out through `started`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        commands = {
            **{"demo": demo, "serve": serve, "doctor": doctor, "test": test, "bench": bench},
            **{"build": build, "package": package, "clean": clean, "lock": lock},
        }
        return commands[options.command](options)
    except SetupError as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next run goes on from here.", file=sys.stderr)
        return 130


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="build.py", description="Set up what is missing, then build, demo or test VoicePilot."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo_parser = commands.add_parser("demo", help="talk with the embedded service in a browser")
    demo_parser.add_argument("--port", type=int, help="of the page (default: a free one)")
    demo_parser.add_argument("--no-browser", action="store_true", help="only print the address")
    commands.add_parser(
        "serve",
        help="talk with your own Azure deployment; options go to voicepilot serve",
        add_help=False,
    )
    commands.add_parser(
        "doctor",
        help="try everything a call needs; options go to voicepilot doctor",
        add_help=False,
    )
    test_parser = commands.add_parser("test", help="run the quality gates and the tests")
    test_parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    build_parser = commands.add_parser("build", help="build the page and print its policy")
    build_parser.add_argument(
        "--packed",
        action="store_true",
        help="as it goes into the extension: gzipped, without /debug",
    )
    commands.add_parser("package", help="make the VSIX of the extension, in dist/")
    commands.add_parser("clean", help="remove everything that build.py made")
    commands.add_parser("lock", help="resolve pyproject.toml into py/locks again")
    bench_parser = commands.add_parser("bench", help="measure, and write docs/benchmarks.md")
    bench_parser.add_argument("--json", action="store_true", help="print JSON and write nothing")
    bench_parser.add_argument("--runs", type=int, help="of each page (default: 7)")
    bench_parser.add_argument("names", nargs="*", metavar="NAME", help="measures (default: all)")
    options, others = parser.parse_known_args()
    if others and options.command not in ("serve", "doctor"):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    for suite in getattr(options, "suites", ()):
        if suite not in SUITES:
            parser.error(f"there is no suite {suite!r}; choose from {', '.join(SUITES)}")
    return options


# Commands


def demo(options: argparse.Namespace) -> int:
    """Hand over to ``voicepilot demo`` once everything it needs is there."""
    if options.port is not None:
        require_free_port(options.port)
    arguments = []
    if options.port is not None:
        arguments += ["--port", str(options.port)]
    if options.no_browser:
        arguments += ["--no-browser"]
    return talk("demo", arguments)


def serve(options: argparse.Namespace) -> int:
    """Hand over to ``voicepilot serve``, with its options, once everything it needs is there."""
    return talk("serve", options.others)


def doctor(options: argparse.Namespace) -> int:
    """Hand over to ``voicepilot doctor``, with its options; it needs no page."""
    install_python("demo")
    return hand_over([str(PYTHON), "-P", "-m", "voicepilot.cli", "doctor", *options.others])


def talk(command: str, arguments: list[str]) -> int:
    """Hand over to the ``voicepilot`` command that serves the page, with all that it needs."""
    install_python("demo")
    install_node(development=False)
    build_page()
    # Started where the person stands, because the tools look there; -P, because nothing that lies
    # there may be imported.
    return hand_over([str(PYTHON), "-P", "-m", "voicepilot.cli", command, *arguments])


def test(options: argparse.Namespace) -> int:
    """Run the suites one after another, even after a failure, and sum them up."""
    suites = [suite for suite in SUITES if suite in (options.suites or SUITES)]
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    install_python("test")
    if {"clients", "pyodide", "page"}.intersection(suites):
        install_node(development=True)
        build_page()
    if {"clients", "page", "vscode"}.intersection(suites):
        environment["VOICEPILOT_CHROMIUM"] = find_chromium()
    if "vscode" in suites:
        environment["VOICEPILOT_VSIX"] = str(make_package())
        if not shutil.which("g++") and debian_as_root():
            with told():
                install_debian_package("build-essential")
        install = [str(PYTHON), "-m", "tests.vscode.install", str(CODE_SERVER)]
        run("Installing code-server, a VS Code for the tests", install)
    results: list[tuple[str, bool, str]] = []
    for suite in suites:
        if suite == "quality":
            runs = {f"quality: {name}": command for name, command in GATES.items()}
        else:
            runs = {suite: ("pytest", f"tests/{suite}")}
        for name, command in runs.items():
            print(f"\n=== {name}", flush=True)
            results.append(
                (name, *echo([str(PYTHON.with_name(command[0])), *command[1:]], environment))
            )
    print("\n=== summary")
    for name, passed, closing in results:
        print(f"{'passed' if passed else 'FAILED'}  {name:<26} {closing}")
    return 0 if all(passed for _, passed, _ in results) else 1


def bench(options: argparse.Namespace) -> int:
    """Hand over to ``tests/bench`` once everything it needs is there."""
    with contextlib.redirect_stdout(sys.stderr):  # with --json, standard output is JSON alone
        install_python("test")
        install_node(development=True)
        build_page()
        os.environ["VOICEPILOT_CHROMIUM"] = find_chromium()
    os.chdir(ROOT)
    command = [str(PYTHON), "-m", "tests.bench", *options.names]
    command += ["--json"] if options.json else []
    command += [f"--runs={options.runs}"] if options.runs is not None else []
    return hand_over(command)


def build(options: argparse.Namespace) -> int:
    """Build the page and print its content security policy."""
    install_python("demo")
    install_node(development=False)
    page = build_page(packed=options.packed)
    print(f"\nThe page is in {page}. Its content security policy:\n")
    print((page / "csp.txt").read_text("utf-8"), end="")
    return 0


def package(_options: argparse.Namespace) -> int:
    """Make the VSIX and say where it is."""
    print(f"{make_package().relative_to(ROOT)}")
    return 0


def clean(_options: argparse.Namespace) -> int:
    """Remove what this file and the tools it calls have made."""
    for name in MADE:
        if (ROOT / name).exists():
            shutil.rmtree(ROOT / name)
            print(f"removed {name}")
    return 0


def lock(_options: argparse.Namespace) -> int:
    """Resolve the extras of ``pyproject.toml`` for every platform and Python that we support.

    ``demo`` takes its versions from ``test``, so that the tests test what people run.
    """
    install_python("lock")
    for name, extras, constraints in (
        ("test", ("azure", "backend", "bundle", "emulator", "test"), ()),
        ("demo", ("azure", "backend", "bundle", "emulator"), ("--constraint", "py/locks/test.txt")),
        ("backend", ("azure", "backend"), ("--constraint", "py/locks/test.txt")),
        ("lock", ("lock",), ()),
        ("page", ("page",), ()),
        ("emulator", ("emulator",), ("--constraint", "py/locks/test.txt")),
        ("package", ("package",), ("--constraint", "py/locks/test.txt")),
    ):
        command = [str(PYTHON), "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
        python = PAGE_PYTHON if name == "page" else "3.11"
        command += ["--universal", "--python-version", python, "--generate-hashes", "--no-annotate"]
        command += [*(f"--extra={extra}" for extra in extras), *constraints]
        command += ["--custom-compile-command", "python3 build.py lock"]
        command += ["--upgrade", "--output-file", f"py/locks/{name}.txt"]
        run(f"Resolving py/locks/{name}.txt", command)
    return 0


# What must be there


def install_python(use: str) -> None:
    """Make ``.venv`` and install ``py/locks/USE.txt`` into it."""
    wanted = fingerprint([LOCKS / f"{use}.txt"])
    tested = fingerprint([LOCKS / "test.txt"])
    installed = {"test": tested, use: wanted}
    if PYTHON.exists() and any(
        holds(VENV / f"voicepilot-{name}.stamp", value)
        for name, value in installed.items()
        if name == use or use == "demo"  # what the tests need contains what the demo needs
    ):
        return
    unfinished = VENV / "voicepilot-unfinished"
    if unfinished.exists() or not has_pip():
        make_environment(unfinished)
    unfinished.touch()
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps"]
    # A source distribution would run a build with requirements that no lock names.
    command += ["--only-binary", ":all:", "--no-compile", "--disable-pip-version-check"]
    command += ["--quiet", "--requirement", str(LOCKS / f"{use}.txt")]
    run(f"Installing Python packages ({use})", command)
    link_sources()
    (VENV / f"voicepilot-{use}.stamp").write_text(wanted)
    unfinished.unlink()


def make_environment(unfinished: Path) -> None:
    """Make ``.venv`` anew; until ``unfinished`` is gone it does not count as made."""
    if not can_make_environments() and debian_as_root():
        with told():
            install_debian_package("python3-venv")
    if not can_make_environments():
        raise SetupError(
            "This Python cannot make virtual environments.\n"
            "On Debian and Ubuntu: apt install python3-venv. Then run this again."
        )
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    unfinished.touch()
    run("Making .venv", [sys.executable, "-m", "venv", str(VENV)])


def can_make_environments() -> bool:
    """Tell whether this Python has what Debian keeps in a package of its own."""
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def has_pip() -> bool:
    """Tell whether the Python in ``.venv`` works, is new enough and has pip."""
    question = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(PYTHON), "-c", question], capture_output=True).returncode == 0
    except OSError:
        return False


def link_sources() -> None:
    """Put ``py/`` on the path of ``.venv`` and ``voicepilot`` among its commands.

    The same effect as ``pip install --editable .``, without fetching a build backend that no lock
    names, and in no time.
    """
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True)
    (Path(answer.stdout.strip()) / "voicepilot.pth").write_text(f"{ROOT / 'py'}\n", "utf-8")
    if WINDOWS:
        command = PYTHON.with_name("voicepilot.cmd")
        command.write_text(f'@"{PYTHON}" -m voicepilot.cli %*\n', "utf-8")
    else:
        command = PYTHON.with_name("voicepilot")
        command.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m voicepilot.cli "$@"\n', "utf-8")
        command.chmod(0o755)


def install_node(development: bool, folder: Path = WEBVIEW) -> None:
    """Install the npm packages of ``folder``; with ``development``, what only developers need too."""
    wanted = fingerprint([folder / "package-lock.json"])
    stamps = {name: folder / "node_modules" / f".voicepilot-{name}" for name in ("demo", "test")}
    require_node()
    if holds(stamps["test"], wanted) or (not development and holds(stamps["demo"], wanted)):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(
            "npm was not found. It comes with Node.js from https://nodejs.org;\n"
            "on Debian and Ubuntu it is a package of its own: apt install npm."
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    label = f"Installing npm packages ({folder.name})"
    run(label, command + ([] if development else ["--omit=dev"]), folder)
    stamps["test" if development else "demo"].write_text(wanted)


def require_node() -> None:
    """Raise unless a new enough Node.js is on the path."""
    advice = (
        f"Install Node.js {NODE_AT_LEAST} or newer from https://nodejs.org or your package manager,\n"
        "then run this again."
    )
    node = shutil.which("node")
    if node is None:
        raise SetupError(f"node was not found. {advice}")
    answer = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    major = answer.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < NODE_AT_LEAST:
        raise SetupError(f"Node.js at {node} is too old ({answer or 'no version'}). {advice}")


def require_free_port(port: int) -> None:
    """Raise when the demo could not listen on ``port``."""
    with socket.socket() as probe:
        if not WINDOWS:  # where the option would mean something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise SetupError(
                f"Port {port} cannot be used: {getattr(error, 'strerror', None) or error}.\n"
                "Choose another with --port N, or leave it out and a free one is taken."
            ) from None


def build_page(packed: bool = False) -> Path:
    """Build the page unless it was built from what is there now; return its folder."""
    page = PACKED_PAGE if packed else PAGE
    inputs = [ROOT / name for name in PAGE_INPUTS]
    inputs += [
        path for path in sorted(WEBVIEW.iterdir()) if path.suffix in {".css", ".mjs", ".svg"}
    ]
    wanted = fingerprint(inputs)
    stamp = page.with_name(f"{page.name}.stamp")
    if holds(stamp, wanted) and (page / "manifest.json").exists():
        return page
    stamp.unlink(missing_ok=True)
    fetch_page_wheels()
    command = [str(PYTHON), "-m", "voicepilot.bundle", "--out", str(page)]
    run("Building the page", command + (["--packed"] if packed else []))
    stamp.write_text(wanted)
    return page


def make_package() -> Path:
    """Make the extension's package of what is there now; return the file."""
    install_python("demo")
    install_python("package")
    install_node(development=True)
    install_node(development=True, folder=EXTENSION)
    page = build_page(packed=True)
    node, wheels = find_node(), ROOT / "dist" / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    wheel = [str(PYTHON), "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    run("Building the wheel", wheel)
    types = EXTENSION / "node_modules" / "typescript" / "bin" / "tsc"
    run("Checking the extension's types", [node, str(types), "--noEmit"], EXTENSION)
    run("Bundling the extension", [node, "build.mjs"], EXTENSION)
    lay_out = [str(PYTHON), "-m", "voicepilot.bundle.extension", "--page", str(page)]
    run("Laying it out", [*lay_out, "--wheels", str(wheels), "--out", str(LAID_OUT)])
    version = json.loads((EXTENSION / "package.json").read_text("utf-8"))["version"]
    target = ROOT / "dist" / f"voicepilot-{version}.vsix"
    vsce = [node, str(EXTENSION / "node_modules" / "@vscode" / "vsce" / "vsce"), "package"]
    vsce += ["--no-dependencies", "--allow-missing-repository", "--out", str(target)]
    run("Packing the extension", vsce, LAID_OUT)
    if target.stat().st_size > LARGEST_PACKAGE:
        raise SetupError(
            f"{target.name} has {target.stat().st_size} bytes; {LARGEST_PACKAGE} are the most."
        )
    return target


def find_node() -> str:
    """Return the node of ``.venv``, which is newer than some that are installed."""
    question = "from voicepilot.bundle.node import find_node; print(find_node())"
    answer = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True)
    return answer.stdout.strip()


def fetch_page_wheels() -> None:
    """Put the wheels of ``py/locks/page.txt``, which go into the page, into ``PAGE_WHEELS``."""
    lock = LOCKS / "page.txt"
    wanted = fingerprint([lock])
    stamp = PAGE_WHEELS / "voicepilot.stamp"
    if holds(stamp, wanted):
        return
    shutil.rmtree(PAGE_WHEELS, ignore_errors=True)
    PAGE_WHEELS.mkdir(parents=True)
    command = [str(PYTHON), "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", PAGE_PYTHON, "--quiet"]
    command += ["--disable-pip-version-check", "--requirement", str(lock)]
    run("Fetching Python packages (page)", [*command, "--dest", str(PAGE_WHEELS)])
    stamp.write_text(wanted)


def find_chromium() -> str:
    """Return the path of a Chromium: a given or installed one, else one that we install."""
    given = os.environ.get("VOICEPILOT_CHROMIUM") or os.environ.get("CHROMIUM")
    if given:
        if Path(given).exists():
            return given
        raise SetupError(f"There is no browser at {given}, where the environment says it is.")
    found = installed_chromium() or playwright_chromium()
    if not found and debian_as_root():
        with told():
            install_debian_package("chromium")
        found = installed_chromium()
    if not found:
        with told():
            download = [str(PYTHON), "-m", "playwright", "install", "chromium"]
            run("Downloading Playwright's Chromium", download)
        found = playwright_chromium()
    if not found:
        raise SetupError(
            "The page tests need Chromium, Chrome or Edge, and none could be installed.\n"
            "Install one, or name it: CHROMIUM=/path/to/chromium python3 build.py test page"
        )
    return found


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell a failure in the block and go on: there is another way."""
    try:
        yield
    except SetupError as reason:
        print(reason, file=sys.stderr)


def installed_chromium() -> str | None:
    """Return the path of an installed Chromium, Chrome or Edge."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge"):
        found = shutil.which(name)
        if found:
            return found
    places = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        folder = os.environ.get(variable)
        if folder:
            places.append(f"{folder}\\Google\\Chrome\\Application\\chrome.exe")
            places.append(f"{folder}\\Microsoft\\Edge\\Application\\msedge.exe")
    return next((place for place in places if Path(place).exists()), None)


def playwright_chromium() -> str | None:
    """Return the path of the Chromium that Playwright has downloaded."""
    question = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    answer = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def debian_as_root() -> bool:
    """Tell whether we may install Debian's packages. Ubuntu's chromium only fetches a snap."""
    try:
        return os.geteuid() == 0 and platform.freedesktop_os_release().get("ID") == "debian"
    except (AttributeError, OSError):  # Windows has no root, macOS no os-release
        return False


def install_debian_package(name: str) -> None:
    """Install a package of Debian, with today's package lists."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "--yes", "--no-install-recommends", name]
    run("Updating Debian's package lists", ["apt-get", "update"], env=environment)
    run(f"Installing Debian's {name}", install, env=environment)


# Stamps


def fingerprint(inputs: Iterable[Path]) -> str:
    """Return a hash of the files and folders ``inputs``, and of what reads them."""
    total = hashlib.sha256(f"{platform.python_version()} {ROOT}".encode())
    for place in inputs:
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"\0{file.relative_to(ROOT).as_posix()}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def holds(stamp: Path, value: str) -> bool:
    """Tell whether ``stamp`` was written for ``value``."""
    try:
        return stamp.read_text() == value
    except OSError:
        return False


# Other programs


def run(
    label: str, command: list[str], folder: Path = ROOT, env: dict[str, str] | None = None
) -> None:
    """Run ``command`` silently under a line that counts the seconds.

    Raises ``SetupError`` with the end of its output when it fails.
    """
    start = time.monotonic()
    terminal = sys.stdout.isatty()
    print(f"{label} ...", end="", flush=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        with started(command, cwd=folder, env=env, stdout=output, stderr=output) as process:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5 if terminal else 10)
                    continue
                elapsed = f"{time.monotonic() - start:.0f} s"
                print(
                    f"\r{label} ... {elapsed} " if terminal else f" {elapsed}", end="", flush=True
                )
        seconds = f"{time.monotonic() - start:.1f} s"
        print(f"\r{label} ... {seconds} " if terminal else f" {seconds}", flush=True)
        if process.returncode != 0:
            output.seek(0)
            raise SetupError(explain(label, output.read()))


@contextlib.contextmanager
def started(command: list[str], **options: object) -> Iterator["subprocess.Popen[str]"]:
    """Run ``command`` for as long as the block runs; an interrupted block ends it."""
    try:
        process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    except OSError as error:
        raise SetupError(f"{command[0]} could not be started: {error.strerror}.") from None
    try:
        yield process
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        raise
    finally:
        process.wait()


def explain(label: str, output: str) -> str:
    """Turn the output of a failed step into what a person can do about it."""
    known = {
        (
            "Temporary failure in name resolution",
            "Name or service not known",
            "getaddrinfo",
            "ENOTFOUND",
            "EAI_AGAIN",
            "ECONNREFUSED",
            "ETIMEDOUT",
            "NewConnectionError",
            "ConnectTimeoutError",
            "ProxyError",
        ): "The package registry cannot be reached. Check the network (behind a proxy, set\n"
        "HTTPS_PROXY), then run this again.",
        ("DO NOT MATCH THE HASHES", "EINTEGRITY"): (
            "A downloaded package is not the one that was locked. Nothing of it was installed.\n"
            "Run this again; if it happens again, a proxy or mirror changes packages."
        ),
        ("No matching distribution found",): (
            "A locked package does not exist for this system. The embedded service runs on Linux\n"
            "(x86-64), macOS 14 or newer (Apple silicon) and Windows (x86-64) with Python 3.11 to\n"
            f"3.14; this is {platform.platform()} with Python {platform.python_version()}."
        ),
        ("No space left on device", "ENOSPC"): "The disk is full. Make room, then run this again.",
    }
    advice = next(
        (advice for signs, advice in known.items() if any(sign in output for sign in signs)), ""
    )
    end = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-12:])
    return f"{label} failed.\n{end}\n{advice}".rstrip()


def echo(command: list[str], environment: dict[str, str]) -> tuple[bool, str]:
    """Run ``command`` in the open; return whether it passed, and its last line with the time."""
    start = time.monotonic()
    closing = ""
    with started(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            closing = line.strip("= \n") or closing
    return process.returncode == 0, f"{time.monotonic() - start:6.1f} s  {closing}"


def hand_over(command: list[str]) -> int:
    """Become ``command``, so that signals reach it and its exit status is ours."""
    sys.stdout.flush()
    if not WINDOWS:
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the child too; it decides
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
