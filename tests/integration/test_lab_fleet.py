"""A fleet as one gives it: homes in which a word wakes, played by the firmware and weighted back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow.parquet
import pytest

from sim.lab.fleet.stretch import HEAVIEST
from sim.main import main
from tests.lab_kit import POPULATION, population_file

PLAYS = 8


def fleet(folder: Path, out: str, *options: str) -> list[str]:
    quiet = ["--set", "cloud.ears.recognizer=none", "--cloud", "off"]
    about = ["--population", str(folder / "population.yaml"), "--homes", "20", "--days", "3", *quiet]
    return ["lab", "fleet", *about, "--out", str(folder / out), *options]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    population_file(folder)
    few = fleet(folder, "out", "--plays", str(PLAYS // 2), "--workers", "1")
    assert main(few) == 0
    first = (folder / "out" / "plays.jsonl").read_text().splitlines()
    plot = ["--plot", str(folder / "fleet.svg")]
    assert main(fleet(folder, "out", "--plays", str(PLAYS), "--workers", "2", *plot)) == 0
    assert (folder / "out" / "plays.jsonl").read_text().splitlines()[: len(first)] == first, "more are added"
    return folder


def test_a_row_each_with_its_weight_and_what_came_of_it(played: Path) -> None:
    rows = pyarrow.parquet.read_table(played / "out" / "rows.parquet").to_pylist()
    assert [row["play"] for row in rows] == list(range(PLAYS))
    assert {row["kind"] for row in rows} == {"talk", "television"}
    assert all(
        row["error"] is None and row["log_weight"] <= math.log(HEAVIEST) + 1e-6 and row["seconds"] > 5 for row in rows
    )
    woken = [row for row in rows if row["woke"]]
    assert woken, "the word that wakes is in half of the lines"
    assert all(row["highest"] >= 0.5 and row["uploaded_s"] > 0 and json.loads(row["clips"]) for row in woken)
    assert all(row["highest"] < 0.5 and row["clips"] == "[]" for row in rows if not row["woke"])
    told = json.loads(pyarrow.parquet.read_schema(played / "out" / "rows.parquet").metadata[b"misheard"])
    assert told["population"]["name"] == "tiny"


def test_figures_come_with_what_they_are_of(played: Path) -> None:
    results = json.loads((played / "out" / "results.json").read_text())
    assert results["fleet"] == {"homes": 20, "days": 3, "devices": 20, "device_days": 60}
    wakes = results["estimates"]["false_wakes"]
    assert wakes["interval"][0] < wakes["value"] < wakes["interval"][1]
    messages = results["estimates"]["messages"]
    assert (messages["value"], messages["interval"][0]) == (0, 0)
    assert messages["interval"][1] > 0
    assert results["estimates"]["drawn"]["value"] > 0
    assert "talk.lines_an_hour" in results["assumed"]
    assert results["sources"] == {"television.words_an_hour": "a test"}
    assert "synthetic" in results["over"]
    assert "PETS 2020" in (played / "fleet.svg").read_text()


def test_it_can_be_cited(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "cite", str(played / "out")]) == 0
    told = capsys.readouterr().out
    for part in (
        "20 homes over 3 days (60 device-days)",
        "Assumed: lines_a_stretch, people.count",
        "Fay, M. P.",
        "Veach",
    ):
        assert part in told
    assert "openwakeword, model alexa" in told


def test_neither_the_workers_nor_that_more_came_later_make_a_difference(
    played: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(fleet(played, "again", "--plays", str(PLAYS), "--workers", "2")) == 0
    told = capsys.readouterr().out
    for name in ("rows.parquet", "results.json"):
        assert (played / "again" / name).read_bytes() == (played / "out" / name).read_bytes()
    assert "false wakes" in told
    assert "none seen (at most" in told


def test_another_policy_plays_nothing_again_and_another_population_is_refused(
    played: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sim.lab.cluster.Cluster.__enter__", lambda _self: pytest.fail("it starts workers"))
    assert main(fleet(played, "again", "--plays", str(PLAYS), "--policy", "none")) == 0
    assert json.loads((played / "again" / "results.json").read_text())["estimates"]["drawn"]["value"] == 0
    population_file(played, POPULATION.replace("[40, 80]", "[40, 90]"))
    assert main(fleet(played, "again", "--plays", str(PLAYS))) == 2
    assert "holds the results of something else" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "told"), [("--seed", "-1", "take 0 or more"), ("--policy", "nope", "nope")]
)
def test_what_cannot_be_is_one_sentence(
    option: str, value: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    population_file(tmp_path)
    assert main(fleet(tmp_path, "out", option, value)) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
