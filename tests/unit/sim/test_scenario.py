from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario import load_scenario, shipped_scenarios

GOOD = """\
name: two-words
shows: Nothing much.
seed: 3
utc: 2018-05-24T18:30:00Z
people:
  ann: {voice: "flite:slt", level_dbfs: -24}
  ben: {voice: "espeak:en"}
background: {kind: pink, snr_db: 35}
script:
  - {who: ann, say: "Hello."}
  - who: ben
    say: "Hello, Ann."
    gap_ms: -100
    addressed: true
tail_ms: 500
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(GOOD)
    return path


def test_a_scenario_is_read_as_it_is_written(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.utc == datetime(2018, 5, 24, 18, 30, tzinfo=UTC)
    assert [(line.who, line.gap_ms, line.addressed) for line in scenario.script] == [
        ("ann", 300, False),
        ("ben", -100, True),
    ]
    assert scenario.background is not None
    assert scenario.background.snr_db == 35
    assert load_scenario(str(path), [("seed", "9")]).seed == 9


def test_every_shipped_scenario_loads_under_its_own_name() -> None:
    assert "kitchen-unacceptable" in shipped_scenarios()
    for name in shipped_scenarios():
        assert load_scenario(name).name == name


def test_in_the_kitchen_nobody_speaks_to_the_device() -> None:
    script = load_scenario("kitchen-unacceptable").script
    assert not any(line.addressed or "alexa" in line.say.lower() for line in script)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("snr_db: 35", "snr_bd: 35", "8: there is no setting background.snr_bd; did you mean snr_db?"),
        ("    gap_ms", "    gap_sm", "13: there is no setting script.1.gap_sm; did you mean gap_ms?"),
        ("who: ben", "who: bem", '11: script.1.who is "bem": nobody is called that; did you mean ben?'),
        ("who: ben", "who: 3", "11: script.1.who is 3, but should be a valid string"),
        (
            "espeak:en",
            "festival:en",
            '7: people.ben.voice is "festival:en": a voice is engine:name with the engine one of',
        ),
        ("espeak:en", "espeak:", '7: people.ben.voice is "espeak:": a voice is engine:name'),
        ("level_dbfs: -24", "level_dbfs: 3", "6: people.ann.level_dbfs is 3, but should be less than or equal to -10"),
        ('"Hello."', '"..."', '10: script.0.say is "...": there is nothing in it to say'),
        ("pink", "brown", "8: background.kind is \"brown\", but should be 'pink'"),
        ("T18:30:00Z", "T18:30:00", "4: utc is "),
        ("tail_ms: 500", "tail_ms: .inf", "15: tail_ms is "),
        ("seed: 3\n", "", None),
        ("name: two-words\n", "", "1: name is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_file_and_line(path: Path, old: str, new: str, sentence: str | None) -> None:
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    if sentence is None:
        assert load_scenario(path).seed == 0
        return
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}:{sentence}")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="did you mean kitchen-unacceptable"):
        load_scenario("kitchen-unaceptable")
    with pytest.raises(ScenarioError, match=r"there are: .*kitchen-unacceptable"):
        load_scenario("zzz")
    with pytest.raises(ScenarioError, match=r"absent\.yaml: cannot be read"):
        load_scenario("absent.yaml")
