"""The settings of a device: each has its unit, its range and its meaning, and what is wrong is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Union, get_args, get_origin

import annotated_types
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from device.config import DeviceSettings, load_device, samples
from device.errors import ConfigError
from uplink.address import Access
from uplink.profiles import PROFILES

_DIMENSIONLESS = {
    "wake.threshold",
    "wake.speaking_threshold",
    "wake.hysteresis",
    "wake.near_miss_margin",
    "capture.speech_probability",
    "uplink.in_flight",  # a count
    "uplink.metrics_port",
}
_UNITS = ("_ms", "_hops", "_s", "_hz", "_db", "_dbfs", "_db_spl", "_m", "_mb", "_hours", "_days")


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def is_number(field: FieldInfo) -> bool:
    kinds = get_args(field.annotation) if get_origin(field.annotation) in (Union, type(int | None)) else ()
    return bool({int, float} & {field.annotation, *kinds})


ALL = dict(fields(DeviceSettings))


@pytest.mark.parametrize("name", ALL)
def test_a_setting_says_what_it_is(name: str) -> None:
    assert ALL[name].description


@pytest.mark.parametrize("name", [name for name, field in ALL.items() if is_number(field)])
def test_a_number_has_a_range_and_its_unit_in_the_name(name: str) -> None:
    bounds = ALL[name].metadata
    assert any(isinstance(bound, annotated_types.Ge | annotated_types.Gt) for bound in bounds), "no lower bound"
    assert any(isinstance(bound, annotated_types.Le | annotated_types.Lt) for bound in bounds), "no upper bound"
    assert name in _DIMENSIONLESS or name.endswith(_UNITS)


def test_there_are_numbers_among_them() -> None:
    assert sum(is_number(field) for field in ALL.values()) > 15
    assert set(ALL) >= _DIMENSIONLESS


def test_the_sections_are_frozen_and_strict() -> None:
    settings = load_device()
    with pytest.raises(ValueError, match="frozen"):
        settings.capture.part_ms = 5  # type: ignore[misc]
    assert all(
        field.annotation.model_config["extra"] == "forbid"
        for field in DeviceSettings.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    )


def test_the_shipped_profile_says_what_is_so_anyway() -> None:
    assert load_device() == load_device("echo-dot") == DeviceSettings()
    said = yaml.safe_load(files("configs").joinpath("devices", "echo-dot.yaml").read_text("utf-8"))
    plain = DeviceSettings().model_dump(mode="json")
    for name, section in said.items():
        if isinstance(section, dict):
            assert section == {key: plain[name][key] for key in section}
        else:
            assert section == plain[name]


def sentence(*overrides: str, profile: str | Path = "echo-dot") -> str:
    pairs = [(key, value) for key, _, value in (text.partition("=") for text in overrides)]
    with pytest.raises(ConfigError) as refused:
        load_device(profile, pairs)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_misspelt_key_is_named_with_the_right_one(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("name: mine\ncapture:\n  preroll_ms: 300\n")
    assert sentence(profile=profile) == (
        f"{profile}:3: there is no setting capture.preroll_ms; did you mean pre_roll_ms?"
    )
    assert "did you mean threshold?" in sentence("wake.treshold=0.5")
    assert "there are: " in sentence("zzz=1")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("capture.pre_roll_ms=2501", "less than or equal to 2500"),
        ("capture.part_ms=1001", "less than or equal to 1000"),
        ("capture.limit_ms=1999", "must hold the pre-roll and the word, 2000 at least"),
        ("wake.threshold=0", "greater than 0"),
        ("wake.threshold=.nan", "finite"),
        ("wake.patience_hops=1.5", "integer"),
        ("wake.patience_hops='1'", "integer"),
        ("wake.words=[]", "at least 1"),
        ("earcons=1", "boolean"),
        ("name=Küche", "match"),
        ("audio.ring_ms=", "integer"),
    ],
)
def test_a_bad_value_is_named(override: str, words: str) -> None:
    said = sentence(override)
    assert override.partition("=")[0] in said
    assert words in said


def test_a_limit_counts_its_own_pre_roll() -> None:
    assert load_device(overrides=[("capture.limit_ms", "2000")]).capture.limit_ms == 2000
    assert "3000 at least" in sentence("capture.limit_ms=2999", "capture.pre_roll_ms=1500")


@pytest.mark.parametrize("value", ["{", "a: b: c", "[1, 2"])
def test_an_override_that_is_no_yaml_is_named(value: str) -> None:
    assert sentence(f"capture={value}").startswith(f"--set capture={value}")


def test_an_override_goes_before_the_profile(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("name: mine\nwake: {words: [hey_jarvis], threshold: 0.3}\n")
    settings = load_device(profile, [("wake.threshold", "0.4"), ("earcons", "false")])
    assert (settings.name, settings.wake.words, settings.wake.threshold) == ("mine", ("hey_jarvis",), 0.4)
    assert not settings.earcons


def test_a_profile_that_is_not_there_is_named_with_those_that_are() -> None:
    why = "there is no profile or file called echo-dto; the profiles are echo-dot, echo-dot-low, pi-at-home"
    assert sentence(profile="echo-dto") == why


@given(st.integers(0, 3_600_000))
def test_milliseconds_become_whole_samples(milliseconds: int) -> None:
    assert samples(milliseconds) == milliseconds * 16


def test_what_is_said_of_a_broker_becomes_what_it_takes_to_be_let_in() -> None:
    pairs = {"ca_file": "ca.crt", "certificate_file": "dot.crt", "key_file": "dot.key", "allow_plain": "true"}
    settings = load_device(overrides=[(f"uplink.{name}", value) for name, value in pairs.items()])
    assert settings.uplink.access() == Access(
        Path("ca.crt"), Path("dot.crt"), Path("dot.key"), allow_plain=True, limits=PROFILES["mosquitto"]
    )
    for name, limits in PROFILES.items():
        assert load_device(overrides=[("uplink.broker_profile", name)]).uplink.access() == Access(limits=limits)
    with pytest.raises(ConfigError, match="broker_profile"):
        load_device(overrides=[("uplink.broker_profile", "aws")])
