from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.errors import LabError
from sim.lab.design import Design, Range, load_sweep
from sim.lab.sweep import columns, counted, designed
from sim.lab.trial import OUTCOMES
from sim.lab.variation import load_variation
from sim.scenario import load_scenario


def sweep_of(folder: Path, text: str) -> Design:
    path = folder / "sweep.yaml"
    path.write_text(text)
    return designed(load_sweep(path))


GRID = """
scenario: kitchen-unacceptable
seeds: 3
fields:
  wake.engine: [openwakeword, micro]
  scenario.tail_ms: {low: 100, high: 10000, steps: 3, log: true, whole: true}
"""


def test_a_grid_is_every_combination_in_order(tmp_path: Path) -> None:
    design = sweep_of(tmp_path, GRID)
    assert design.sweep.rows == 18
    rows = [design.row(number) for number in range(18)]
    assert [row["seed"] for row in rows[:4]] == [0, 1, 2, 0]
    assert [row["scenario.tail_ms"] for row in rows[::3]] == [100, 1000, 10000] * 2
    assert rows[9]["wake.engine"] == "micro"
    assert len({tuple(row.values()) for row in rows}) == 18


def test_a_row_is_played_with_what_it_says(tmp_path: Path) -> None:
    trial = sweep_of(tmp_path, GRID).trial(17)
    assert (trial.base.scenario, trial.seed) == ("kitchen-unacceptable", 2)
    assert trial.overrides == (("wake.engine", '"micro"'), ("scenario.tail_ms", "10000"))


def test_draws_depend_on_their_number_and_seed_alone(tmp_path: Path) -> None:
    text = "scenario: portland\nfields: {wake.threshold: {low: 0.2, high: 0.8}}\nseeds: 50\n"
    text += "random: {rows: %d, seed: %d}\n"
    few, many, other = (sweep_of(tmp_path, text % numbers) for numbers in ((5, 1), (400, 1), (400, 2)))
    drawn = [many.row(number) for number in range(400)]
    assert [few.row(number) for number in range(5)] == drawn[:5]
    assert other.row(0) != drawn[0]
    thresholds = [row["wake.threshold"] for row in drawn]
    assert min(thresholds) < 0.25 < 0.75 < max(thresholds)
    assert all(0.2 <= each <= 0.8 for each in thresholds)
    assert len({row["seed"] for row in drawn}) > 40


def test_columns_are_of_the_type_of_their_values(tmp_path: Path) -> None:
    found = columns(sweep_of(tmp_path, GRID).sweep)
    assert (found["wake.engine"], found["scenario.tail_ms"], found["seed"]) == (str, int, int)
    assert list(found)[-len(OUTCOMES) :] == list(OUTCOMES)


def test_a_range_by_ratio_keeps_its_ends() -> None:
    assert [Range(low=1, high=100, log=True).at(share) for share in (0, 0.5, 1)] == pytest.approx([1, 10, 100])


def test_outcomes_are_counted_by_what_is_varied(tmp_path: Path) -> None:
    design = sweep_of(tmp_path, GRID)
    rows = [
        {**design.row(n), **dict.fromkeys(OUTCOMES), "woke": design.row(n)["wake.engine"] == "micro"} for n in range(18)
    ]
    rows[0]["error"] = "no voice"
    found = counted(design.sweep, rows)
    assert set(found) == {"wake.engine", "scenario.tail_ms"}
    plain, micro = found["wake.engine"]
    assert (plain["rows"], plain["woke"]["share"]) == (8, 0.0)
    assert (micro["rows"], micro["woke"]["share"]) == (9, 1.0)
    assert micro["woke"]["interval"].low == pytest.approx(0.7008, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenario: portland\nfeilds: {}\n", r"sweep\.yaml:2: there is no setting feilds; did you mean fields\?"),
        ("scenario: portlnad\n", "there is no scenario called 'portlnad'; did you mean portland"),
        ("scenario: portland\nfields: {wake.treshold: [0.1]}\n", "no setting wake.treshold; did you mean threshold"),
        ("scenario: portland\nfields: {wake.threshold: [0.5, 7]}\n", "wake.threshold is 7"),
        ("scenario: portland\nfields: {wake.threshold: {low: 0.1, high: 0.5}}\n", "of a range needs its steps"),
        ("scenario: portland\nfields: {wake.threshold: {low: 2, high: 0.5, steps: 3}}\n", "it must be above low"),
        ("scenario: portland\nprofile: [echo-dto]\n", "there is no profile or file called echo-dto"),
        ("scenario: portland\nseeds: 20000000\n", "20000000 rows are more than 10000000"),
        ("scenario: [\n", "is not YAML"),
    ],
)
def test_what_cannot_be_is_one_sentence(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=told) as caught:
        sweep_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_sweep_and_the_variation_of_the_docs_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "lab-runs.md").read_text(encoding="utf-8")
    sweep, variation = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert sweep_of(tmp_path, sweep).sweep.rows == 2 * 2 * 20 * 2 * 4 * 3 * 2
    (tmp_path / "vary.yaml").write_text(variation)
    assert load_variation(tmp_path / "vary.yaml", load_scenario("portland")).move_m == 1.0
