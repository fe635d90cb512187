"""How every test runs: the same hypothesis examples each time, and in CI no test that was skipped."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.aws.doubles import Doubles, running_doubles

settings.register_profile("ci", derandomize=True, print_blob=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

REFUSE_SKIPS = os.environ.get("WATCHKEEPER_NO_SKIPS") == "1"


def skipped(config: pytest.Config) -> list[str]:
    """Each test or module that was skipped in this session, with the reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [f"{report.nodeid}: {report.longrepr[2]}" for report in reports]


@pytest.fixture(scope="session")
def running_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doubles]:
    """AWS on this machine, started when the first test asks for it."""
    with running_doubles(tmp_path_factory.mktemp("doubles")) as running:
        yield running


@pytest.fixture
def doubles(running_aws: Doubles, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """The same with nothing in it, and this process pointed at it."""
    running_aws.reset()
    for name, text in running_aws.environment.items():
        monkeypatch.setenv(name, text)
    return running_aws


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    passed = session.exitstatus == pytest.ExitCode.OK
    if REFUSE_SKIPS and passed and skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if REFUSE_SKIPS and (lines := skipped(config)):
        terminalreporter.section("refused: WATCHKEEPER_NO_SKIPS=1 and tests were skipped", red=True)
        for line in lines:
            terminalreporter.line(line)
