"""What happens in `voicepilot doctor`? Each finding is printed as soon as it is known."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass

from voicepilot.backend.configuration import Configuration
from voicepilot.backend.doctor.examination import Examination
from voicepilot.backend.doctor.report import Finding, State, lines, to_json, verdict


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What the command line chose. `read` reads the settings; it may raise ConfigurationError."""

    read: Callable[[], Configuration]
    as_json: bool = False
    browser: bool = True


def run(options: DoctorOptions) -> int:
    """Check everything; the process's exit code: 0 where calls are possible, 1 where they are not."""
    logging.getLogger("voicepilot").setLevel(logging.ERROR)  # the findings tell what the log would
    findings = asyncio.run(_examine(options))
    if options.as_json:
        print(json.dumps(to_json(findings), indent=2))  # noqa: T201 - the report is what was asked for
    else:
        print(f"\n{verdict(findings)}")  # noqa: T201
    return int(any(each.state is State.FAILED for each in findings))


async def _examine(options: DoctorOptions) -> list[Finding]:
    findings = []
    async with Examination(options.read, tell=_tell, browser=options.browser) as examination:
        async for finding in examination.findings():
            findings.append(finding)
            if not options.as_json and not finding.follows:
                print(*lines(finding), sep="\n", flush=True)  # noqa: T201
    for cause in dict.fromkeys(each.follows for each in findings if each.follows):
        if not options.as_json:
            names = ", ".join(each.name for each in findings if each.follows == cause)
            print(f"skipped  {names}: not tried, since {cause} failed.")  # noqa: T201
    return findings


def _tell(sentence: str) -> None:
    """Show a sentence to who signs in, beside the report."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201
