"""A funnel as one gives it: of a scenario in which a word wakes, or not, and nobody listens further."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sim.main import main
from tests.integration.test_lab_sweep import TINY

VARY = """
voices: ["flite:rms"]
move_m: 0
noise_db_spl: [20, 80]
rt60_s: [0.2, 0.2]
level_db: [0, 0]
gap_stretch: [1, 1]
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("funnel")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "vary.yaml").write_text(VARY)
    return [
        "lab",
        "funnel",
        str(folder / "tiny.yaml"),
        "--vary",
        str(folder / "vary.yaml"),
        "--out",
        str(folder / "out"),
    ]


def test_links_are_counted_and_more_trials_may_be_added(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out = Path(asked[-1])
    quiet = ["--set", "cloud.ears.recognizer=none", "--workers", "1"]
    assert main([*asked, *quiet, "--trials", "4"]) == 0
    first = (out / "trials.csv").read_text().splitlines()
    assert main([*asked, *quiet, "--trials", "12", "--plot", str(out.parent / "funnel.svg")]) == 0
    assert (out / "trials.csv").read_text().splitlines()[:5] == first
    with (out / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    noisy = {row["woke"] for row in rows if float(row["noise"]) > 72}
    quiet_ones = {row["woke"] for row in rows if float(row["noise"]) < 45}
    assert (noisy, quiet_ones) == ({"False"}, {"True"})
    results = json.loads((out / "results.json").read_text())
    wake, intent = results["links"][:2]
    assert wake["came"] == 12
    assert wake["held"] == intent["came"] == sum(row["woke"] == "True" for row in rows)
    assert intent["held"] == 0
    assert "wake" in capsys.readouterr().out
    assert "tiny: 12 trials" in (out.parent / "funnel.svg").read_text()


def test_another_seed_is_other_work(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked, "--seed", "2"]) == 2
    assert "holds the results of something else asked" in capsys.readouterr().err
