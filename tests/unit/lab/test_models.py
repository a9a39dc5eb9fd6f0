"""Work that has begun with one model goes on with no other under the same name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from device.config import WakeSettings
from sim.errors import LabError
from sim.lab.models import detectors
from sim.lab.ranking import Candidate
from sim.main import main
from tests.lab_kit import population_file
from wakeword.models import find_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of one's own, which for now is that of a shipped word."""
    return Path(shutil.copy(find_model("alexa").path, tmp_path / "mine.onnx"))


def made_anew(model: Path) -> None:
    shutil.copy(find_model("hey_jarvis").path, model)


def test_a_model_is_told_by_what_is_in_its_file(model: Path) -> None:
    settings = WakeSettings(words=(str(model),))
    (before,) = detectors(settings)
    assert (before["engine"], before["model"], before["threshold"]) == ("openwakeword", "mine", 0.5)
    assert before["sha256"] == find_model("alexa").sha256
    made_anew(model)
    (after,) = detectors(settings)
    assert {**before, "sha256": ""} == {**after, "sha256": ""}
    assert before["sha256"] != after["sha256"]


def sweep(folder: Path, model: Path) -> list[str]:
    path = folder / "sweep.yaml"
    path.write_text(f"scenario: kitchen-unacceptable\nfields: {{wake.words: [[alexa], ['{model}']]}}\n")
    return ["sweep", str(path)]


def funnel(_: Path, model: Path) -> list[str]:
    return ["funnel", "kitchen-unacceptable", "--trials", "1", "--set", f"wake.words=['{model}']"]


def fleet(folder: Path, model: Path) -> list[str]:
    of = ["--population", str(population_file(folder)), "--homes", "2", "--days", "1", "--plays", "1"]
    return ["fleet", *of, "--set", f"wake.words=['{model}']"]


def mine(_: Path, model: Path) -> list[str]:
    return ["mine", str(model), "--engine", "openwakeword", "--voice", "flite:rms"]


@pytest.mark.parametrize("asked", [sweep, funnel, fleet, mine])
def test_a_folder_is_gone_on_with_by_the_same_model_alone(
    asked: Callable[[Path, Path], list[str]],
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    needs: Callable[[str], str],
) -> None:
    if asked is mine:
        needs("flite")

    def nobody(_: object) -> None:
        raise LabError("there are no workers")

    monkeypatch.setattr("sim.lab.cluster.Cluster.__enter__", nobody)
    monkeypatch.setattr("sim.lab.mine.candidates", lambda _wish: [Candidate("lexus", ("L",), 50)])
    command = ["lab", *asked(tmp_path, model), "--out", str(tmp_path / "out")]
    for _ in range(2):
        assert main(command) == 2
        assert "there are no workers" in capsys.readouterr().err
    made_anew(model)
    assert main(command) == 2
    assert "holds the results of something else asked" in capsys.readouterr().err
