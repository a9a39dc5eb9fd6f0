"""How often things are broken, from which seed, and the table of what came of it."""

from __future__ import annotations

import os
import random
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.faults.processes import BrokerKind, Scene
from tests.faults.table import Table

FULL = os.environ.get("MISHEARD_FAULTS") == "full"
SEED = int(os.environ.get("MISHEARD_FAULTS_SEED", "1"))
_ROWS = "faults"
"""Under this name a test's rows travel with its report, from whichever process ran it."""


@dataclass(frozen=True)
class Plan:
    """How often to break something, and chance from the run's seed, for each test its own."""

    chance: random.Random

    def times(self, full: int, short: int) -> int:
        """Give how often: as promised in the long run, or a few times where tests must be quick."""
        return full if FULL else short


@pytest.fixture
def disk_in_a_file(tmp_path: Path) -> None:
    """Whether one can be mounted: that takes root and a loop device, which no package brings; without, it skips."""
    image = tmp_path / "probe"
    image.write_bytes(bytes(2_000_000))
    script = f"mkfs.ext4 -q -F {image} && mkdir {image}.disk && mount -o loop {image} {image}.disk"
    probe = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no disk in a file can be mounted here ({probe.stderr.strip()})")


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    print(f"every choice is drawn from the seed {SEED}; repeat with MISHEARD_FAULTS_SEED={SEED}")
    return Plan(random.Random(zlib.crc32(f"{SEED} {request.node.name}".encode())))


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    table = Table()
    yield table
    request.node.user_properties.append((_ROWS, table.rows))


@pytest.fixture
def broker_kind() -> BrokerKind:
    """Which broker; a test that wants several is parametrized with this name."""
    return "mosquitto"


@pytest.fixture
def scene(tmp_path: Path, needs: Callable[[str], str], broker_kind: BrokerKind) -> Iterator[Scene]:
    """Keys that are known, and nothing that runs yet."""
    with Scene(tmp_path, needs("mosquitto"), broker_kind) as scene:
        scene.know()
        yield scene


class Faults:
    """Puts the rows of all tests together, in the order in which the tests stand."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int, str], list[tuple[str, ...]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, line, _ = report.location
        rows = cast("list[tuple[str, ...]]", dict(report.user_properties).get(_ROWS))
        if report.when == "teardown" and rows:
            self._rows[file, line or 0, report.nodeid] = [tuple(row) for row in rows]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Show the table; after a long run in which nothing failed, keep it."""
        table = Table([row for place in sorted(self._rows) for row in self._rows[place]])
        if not table.rows:
            return
        terminalreporter.section("faults")
        terminalreporter.write_line(str(table))
        if FULL and exitstatus == 0 and os.environ.get("MISHEARD_FAULTS_PAGE"):
            table.write(Path(os.environ["MISHEARD_FAULTS_PAGE"]), "make faults", SEED)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Faults())
