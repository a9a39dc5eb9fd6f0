from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from device.errors import ConfigError, DeviceError
from device.yaml_model import SettingFault, load_yaml_model


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Capture(Strict):
    pre_roll_ms: Annotated[int, Field(ge=0, le=2000)] = 500


class Person(Strict):
    voice: str

    @field_validator("voice")
    @classmethod
    def has_engine(cls, value: str) -> str:
        if ":" not in value:
            raise ValueError("a voice is engine:name")
        return value


class Settings(Strict):
    name: str
    utc: AwareDatetime | None = None
    capture: Capture = Capture()
    people: dict[str, Person] = {}
    gaps_ms: tuple[int, ...] = ()

    @field_validator("gaps_ms")
    @classmethod
    def grows(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for at in range(1, len(value)):
            if value[at] < value[at - 1]:
                raise SettingFault((at,), value[at], "it must not be under the one before")
        return value


GOOD = """\
name: kitchen
utc: 2018-05-24T09:00:00Z
capture:
  pre_roll_ms: 250
people:
  ann:
    voice: "flite:slt"
gaps_ms: [1, 2]
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    settings = load_yaml_model(path, Settings)
    assert settings.capture.pre_roll_ms == 250
    assert settings.gaps_ms == (1, 2)
    assert settings.utc == datetime(2018, 5, 24, 9, tzinfo=UTC)


def test_overrides_reach_every_depth_and_the_last_wins() -> None:
    settings = load_yaml_model(
        GOOD, Settings, [("gaps_ms.1", "7"), ("people.bo.voice", "espeak:en"), ("name", "a"), ("name", "b")]
    )
    assert settings.gaps_ms == (1, 7)
    assert settings.people["bo"].voice == "espeak:en"
    assert settings.name == "b"
    assert settings.people["ann"].voice == "flite:slt"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "pre_roll_ms: 250",
            "pre_rol_ms: 250",
            "f.yaml:4: there is no setting capture.pre_rol_ms; did you mean pre_roll_ms?",
        ),
        ("pre_roll_ms: 250", "zzzz: 1", "f.yaml:4: there is no setting capture.zzzz; there are: pre_roll_ms"),
        ("    voice:", "    voise:", "f.yaml:7: there is no setting people.ann.voise; did you mean voice?"),
        ("name: kitchen\n", "", "f.yaml:1: name is missing"),
        ("250", "-1", "f.yaml:4: capture.pre_roll_ms is -1, but should be greater than or equal to 0"),
        ("250", '"250"', 'f.yaml:4: capture.pre_roll_ms is "250", but should be a valid integer'),
        ("name: kitchen", "name: no", "f.yaml:1: name is false, but should be a valid string"),
        ("flite:slt", "slt", 'f.yaml:7: people.ann.voice is "slt": a voice is engine:name'),
        ("[1, 2]", "[1, x]", 'f.yaml:8: gaps_ms.1 is "x", but should be a valid integer'),
        ("[1, 2]", "\n  - 3\n  - 2", "f.yaml:10: gaps_ms.1 is 2: it must not be under the one before"),
        ("gaps_ms:", "name: again\ngaps_ms:", "f.yaml:8: name is there already in line 1"),
        ("capture:\n", "capture: [\n", "f.yaml:5: is not YAML: "),
        ("09:00:00Z", "09:00:00", "f.yaml:2: utc is "),
        ("2018-05-24T09:00:00Z", "2018-13-45", "f.yaml: is not YAML: "),
    ],
)
def test_a_wrong_key_or_value_is_one_sentence_with_file_and_line(old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load_yaml_model(GOOD.replace(old, new), Settings, name="f.yaml")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, DeviceError)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "capture.pre_roll_ms",
            "9999",
            "--set capture.pre_roll_ms=9999: capture.pre_roll_ms is 9999, but should be less",
        ),
        ("captur.pre_roll_ms", "1", "--set captur.pre_roll_ms=1: there is no setting captur; did you mean capture?"),
        ("name.first", "x", "--set name.first=x: there is nothing called 'first' to set in it"),
        ("gaps_ms.5", "1", "--set gaps_ms.5=1: there is nothing called '5' to set in it"),
        ("gaps_ms", "[1", "--set gaps_ms=[1: is not YAML: "),
    ],
)
def test_a_wrong_override_is_named_as_it_was_given(key: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml_model(GOOD, Settings, [(key, value)])
    assert str(caught.value).startswith(sentence)


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "absent.yaml", tmp_path, binary):
        with pytest.raises(ConfigError, match=str(path)):
            load_yaml_model(path, Settings)
    with pytest.raises(ConfigError, match="name is missing"):
        load_yaml_model("", Settings)
    with pytest.raises(ConfigError):
        load_yaml_model("- a list", Settings)
    with pytest.raises(ConfigError):
        load_yaml_model("&a [*a]", Settings)
