from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario import Contact, Mute, Room, Scenario, device_settings, load_scenario, shipped_scenarios
from sim.scenario.contacts import folded
from sim.scenario.schema import schema_path, schema_text

GOOD = """\
name: two-words
shows: Nothing much.
seed: 3
utc: 2018-05-24T18:30:00-07:00
rooms:
  living: {size_m: [6.0, 4.5, 2.6], rt60_s: 0.35, background: {kind: pink, db_spl: 30}}
  hall: {size_m: [3, 1.5, 2.6], rt60_s: 0}
walls: [{between: [living, hall], loss_db: 20}]
people:
  ann: {voice: "flite:slt", room: living, at_m: [2.0, 1.5, 1.2], level_db_spl: 62, on_prompt: react}
  ben: {voice: "flite:rms", room: hall, at_m: [1, 1, 1.5]}
media:
  tv: {room: living, at_m: [0.3, 2, 0.8], voice: "flite:awb", lines: [{say: "The news."}]}
devices:
  echo-dot: {profile: echo-dot, room: living, at_m: [4.5, 1.0, 0.9]}
contacts:
  - {name: Frank}
  - {name: Linda, say_as: Leenda}
mute:
  - {device: echo-dot, at: "21:00"}
script:
  - {who: ann, say: "Hello."}
  - who: ben
    say: "Hello, Ann."
    gap_ms: -100
    to: echo-dot
    means: {intent: send_message, contact: Frank}
  - {who: ben, at_ms: 60000, say: "Later."}
  - {who: ann, when_heard: "to whom", say: "Who said that?"}
tail_ms: 500
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(GOOD)
    return path


def test_a_scenario_is_read_as_it_is_written(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.utc == datetime(2018, 5, 25, 1, 30, tzinfo=UTC)
    assert scenario.utc.utcoffset() == timedelta(hours=-7)
    assert [(line.who, line.gap, line.at_ms, line.addressed) for line in scenario.script] == [
        ("ann", 300, None, False),
        ("ben", -100, None, True),
        ("ben", 300, 60000, False),
        ("ann", 300, None, False),
    ]
    assert scenario.utterances == (
        ("flite:slt", "Hello."),
        ("flite:rms", "Hello, Ann."),
        ("flite:rms", "Later."),
        ("flite:slt", "Who said that?"),
        ("flite:awb", "The news."),
    )
    assert (scenario.cloud, scenario.file, scenario.folder) == ("2018", path, path.parent)
    assert scenario.wall_loss_db("hall", "living") == 20
    assert scenario.model_copy(update={"walls": ()}).wall_loss_db("living", "hall") == 35
    assert load_scenario(str(path), [("seed", "9")]).seed == 9


def test_what_was_loaded_can_be_written_down_and_loaded_again(path: Path) -> None:
    scenario = load_scenario(path)
    again = Scenario.model_validate_json(json.dumps(scenario.model_dump(mode="json")))
    assert again.model_dump() == scenario.model_dump()


def test_every_shipped_scenario_loads_under_its_own_name_and_tells_editors_its_schema() -> None:
    assert "kitchen-unacceptable" in shipped_scenarios()
    for name, path in shipped_scenarios().items():
        assert load_scenario(name).name == name
        assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n"), name


def test_the_schema_for_editors_is_current() -> None:
    assert schema_path().read_text(encoding="utf-8") == schema_text(), "run: python -m sim.scenario.schema"


def test_in_the_kitchen_nobody_speaks_to_the_device() -> None:
    script = load_scenario("kitchen-unacceptable").script
    assert not any(line.addressed or "alexa" in line.say.lower() for line in script)


def test_a_device_has_the_settings_of_its_profile_under_its_own_name(path: Path) -> None:
    path.write_text(GOOD.replace("profile: echo-dot", "profile: mine.yaml"))
    (path.parent / "mine.yaml").write_text("name: other\nacoustics: {echo_loss_db: 12}\n")
    settings = device_settings(load_scenario(path), "echo-dot", [("acoustics.full_scale_db_spl", "99")])
    acoustics = settings.acoustics
    assert (settings.name, acoustics.echo_loss_db, acoustics.full_scale_db_spl) == (
        "echo-dot",
        12,
        99,
    )
    (path.parent / "mine.yaml").write_text("name: other\nacoustic: {}\n")
    with pytest.raises(ScenarioError, match=r"two\.yaml:15: devices.*profile.*mine\.yaml:2: there is no setting"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("db_spl: 30}", "db_slp: 30}", "6: there is no setting rooms.living.background.db_slp; did you mean db_spl?"),
        ("db_spl: 30}", "db_spl: 30, snr_db: 20}", "6: rooms.living.background is "),
        ("rt60_s: 0.35", "rt60_s: 0.05", "6: rooms.living.rt60_s is 0.05: walls that swallow everything give 0.10"),
        ("pink", "brown", "6: rooms.living.background.kind is \"brown\", but should be 'pink'"),
        ("    gap_ms", "    gap_sm", "25: there is no setting script.1.gap_sm; did you mean gap_ms?"),
        ("who: ben, at", "who: bem, at", '28: script.2.who is "bem": nobody is called that; did you mean ben?'),
        ("who: ben, at", "who: Zoe, at", "nobody is called that; the people are: ann, ben"),
        ("who: ben, at", "who: 3, at", "28: script.2.who is 3, but should be a valid string"),
        (
            "[living, hall]",
            "[living, hell]",
            '8: walls.0.between is "hell": no room is called that; did you mean',
        ),
        ("[living, hall]", "[hall, hall]", "8: walls.0.between is "),
        (
            "room: hall, at",
            "room: Hall, at",
            '11: people.ben.room is "Hall": no room is called that; did',
        ),
        (
            "[1, 1, 1.5]",
            "[1, 2, 1.5]",
            "11: people.ben.at_m is [1.0, 2.0, 1.5]: that is outside hall, which is 3 x",
        ),
        ("[0.3, 2, 0.8]", "[0.0, 2, 0.8]", "13: media.tv.at_m is [0.0, 2.0, 0.8]: that is outside living"),
        ("  tv:", "  ann:", '13: media.ann is "living": a person is called that already'),
        ('voice: "flite:awb", lines', "lines", "13: media.tv is "),
        (', lines: [{say: "The news."}]', "", "13: media.tv is "),
        (
            "device: echo-dot, at",
            "device: echo-dto, at",
            '20: mute.0.device is "echo-dto": no device is called that; did',
        ),
        ('at: "21:00"', "at: 21:00", "20: mute.0.at is 1260, but should be a valid string"),
        ('at: "21:00"', 'at: "25:00"', '20: mute.0.at is "25:00": a time of day is hours:minutes'),
        ("to: echo-dot", "to: echo", '26: script.1.to is "echo": no device is called that; did you mean echo-dot?'),
        ("    to: echo-dot\n", "", '26: script.1.means is {"intent": "send_message", "contact": "Frank"}: only'),
        ("contact: Frank", "contact: Fran", '27: script.1.means.contact is "Fran": no contact is called that; did you'),
        (
            "{name: Linda,",
            "{name: FRANK,",
            '18: contacts.1.name is "FRANK": two contacts are called that; give',
        ),
        ("on_prompt: react", "on_prompt: pause", '29: script.3.when_heard is "to whom": ann does not react to prompts'),
        (
            'ann, say: "Hello."',
            'ann, gap_ms: -1, say: "Hello."',
            "22: script.0.gap_ms is -1: the first line would",
        ),
        (
            "at_ms: 60000",
            "at_ms: 60000, gap_ms: 4",
            "28: script.2.at_ms is 60000: a line has gap_ms or at_ms",
        ),
        ("gap_ms: -100", "at_ms: 60001", "28: script.2.at_ms is 60000: ben speaks at 60001 ms already"),
        ("say: Later", "say: Later", None),
        ("flite:slt", "festival:en", '10: people.ann.voice is "festival:en": a voice is engine:name with the engine'),
        ("flite:slt", "flite:", '10: people.ann.voice is "flite:": a voice is engine:name'),
        ('voice: "flite:slt", ', "", '22: script.0.who is "ann": this person has no voice'),
        (
            "level_db_spl: 62",
            "level_db_spl: 103",
            "10: people.ann.level_db_spl is 103, but should be less than or",
        ),
        ('"Hello."', '"..."', '22: script.0.say is "...": there is nothing in it to say'),
        ('"Hello."', '"Hello.", sound: absent.wav', '22: script.0.sound is "absent.wav": there is no sound'),
        (
            'voice: "flite:awb", lines: [{say: "The news."}]',
            "file: absent.wav",
            '13: media.tv.file is "absent.wav"',
        ),
        ("profile: echo-dot", "profile: echo-dto", '15: devices.echo-dot.profile is "echo-dto": there is no profile'),
        ("seed: 3\n", "cloud: twenty\n", '3: cloud is "twenty": there is no far-end profile or file called twenty'),
        ("T18:30:00-07:00", "T18:30:00", "4: utc is "),
        ("tail_ms: 500", "tail_ms: .inf", "30: tail_ms is "),
        ("seed: 3\n", "", None),
        ("name: two-words\n", "", "1: name is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_file_and_line(path: Path, old: str, new: str, sentence: str | None) -> None:
    assert old in GOOD or sentence is None
    path.write_text(GOOD.replace(old, new))
    if sentence is None:
        load_scenario(path)
        return
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}:")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_scenario_in_which_nothing_sounds_is_refused(path: Path) -> None:
    silent = GOOD[: GOOD.index("media:")] + GOOD[GOOD.index("devices:") : GOOD.index("script:")]
    path.write_text(silent)
    with pytest.raises(ScenarioError, match="nobody says anything and nothing plays; write a line"):
        load_scenario(path)
    path.write_text(
        silent + 'media:\n  tv: {room: hall, at_m: [1, 1, 1], voice: "flite:awb", lines: [{say: "News."}]}\n'
    )
    assert load_scenario(path).script == ()


def test_a_voice_that_is_not_here_is_named_with_its_line_and_what_installs_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(path.parent))
    with pytest.raises(ScenarioError, match=r"two\.yaml:10: people.*voice is .*not installed.* apt-get install flite"):
        load_scenario(path)
    assert load_scenario("kitchen-unacceptable").people["ann"].voice == "flite:slt"  # all that she says is shipped


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="did you mean kitchen-unacceptable"):
        load_scenario("kitchen-unaceptable")
    with pytest.raises(ScenarioError, match=r"there are: .*kitchen-unacceptable"):
        load_scenario("zzz")
    with pytest.raises(ScenarioError, match=r"absent\.yaml: cannot be read"):
        load_scenario("absent.yaml")


def test_two_of_one_name_are_told_apart_by_an_id(path: Path) -> None:
    path.write_text(GOOD.replace("{name: Frank}", "{name: Frank, id: plumber}\n  - {name: frank, id: Seattle}"))
    assert load_scenario(path).contacts[:2] == (
        Contact(name="Frank", id="plumber"),
        Contact(name="frank", id="Seattle"),
    )
    path.write_text(GOOD.replace("{name: Frank}", "{name: Frank, id: plumber}\n  - {name: Frank, id: Plumber}"))
    with pytest.raises(ScenarioError, match=r"18: contacts\.1\.name"):
        load_scenario(path)
    assert folded("  José-María  O'Neil ") == folded("jose maria o neil")


def test_a_time_of_day_is_the_next_one_where_the_home_is() -> None:
    evening = datetime(2018, 5, 24, 18, 30, tzinfo=timezone(timedelta(hours=-7)))
    assert Mute(device="dot", at="21:00").after_ms(evening) == 2.5 * 3_600_000
    assert Mute(device="dot", at="18:30").after_ms(evening) == 0
    assert Mute(device="dot", at="18:29:59").after_ms(evening) == 86_399_000
    assert Mute(device="dot", at_ms=7).after_ms(evening) == 7


def test_the_deadest_room_follows_sabine() -> None:
    assert Room(size_m=(6.0, 4.5, 2.6)).least_rt60_s == pytest.approx(0.161 * 70.2 / 108.6, rel=0.01)


def test_the_scenario_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    (tmp_path / "floors.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    assert load_scenario(tmp_path / "floors.yaml").script[2].when_heard == "right?"
