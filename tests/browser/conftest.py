from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sim.play.play import play
from sim.play.setup import prepare
from sim.report import write_report
from tests.browser.chromium import Page, chromium


@pytest.fixture
def page(needs: Callable[[str], str], tmp_path: Path) -> Iterator[Page]:
    """A tab of a browser of its own."""
    with chromium(needs("chromium"), tmp_path / "profile") as tab:
        yield tab


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of the shipped scenario, played through the real models; tests must not change it."""
    folder = tmp_path_factory.mktemp("report") / "kitchen"
    setup = prepare("kitchen-unacceptable", overrides=[("cloud.ears.recognizer", "pocketsphinx")])
    play(setup, folder, Console(quiet=True))
    write_report(folder)
    return folder
