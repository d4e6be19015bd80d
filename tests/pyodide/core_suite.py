"""Runs the core's own tests inside Pyodide.

It is given ``{"path": [folders], "root": the repository, "tests": [files], "examples": number}``
and answers ``{node id: "passed" | "failed" | "skipped"}``.
"""

import json
import os
import sys

given = json.loads(os.environ["GIVEN"])
sys.path += given["path"]  # last: what was installed for Pyodide goes before the host's
sys.dont_write_bytecode = True  # the mounted folders belong to the host
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the host's plugins do not run here

import pytest  # noqa: E402 -- found through the path above
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "pyodide",
    max_examples=given["examples"],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("pyodide")


class Outcomes:
    """Keeps the worst that happened to each test in set-up, call and tear-down."""

    def __init__(self) -> None:
        self.of_tests: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.of_tests.get(report.nodeid, "passed") == "passed":
            self.of_tests[report.nodeid] = report.outcome

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.of_tests[report.nodeid] = "failed"


outcomes = Outcomes()
pytest.main(
    [
        *("-c", "/dev/null", "--rootdir", given["root"], "--import-mode=importlib"),
        *("-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", *given["tests"]),
    ],
    plugins=[outcomes],
)
print(json.dumps(outcomes.of_tests))
