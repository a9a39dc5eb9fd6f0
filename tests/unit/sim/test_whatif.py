"""Each safeguard changes what it says and nothing else; what is wrong is named; the rows do not depend on workers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sim.errors import WhatIfError
from sim.play.play import rehearse
from sim.play.setup import Setup, prepare
from sim.whatif.safeguards import SAFEGUARDS, chosen
from sim.whatif.table import replay, table


@pytest.fixture(scope="module")
def setup() -> Setup:
    return prepare("kitchen-unacceptable", overrides=[("cloud.ears.recognizer", "none")])


def changes(before: Any, after: Any, at: str = "") -> dict[str, Any]:
    """The leaves that differ, by dotted name, as they are after."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return {k: v for name in before for k, v in changes(before[name], after[name], f"{at}.{name}").items()}
    return {} if before == after else {at.removeprefix("."): after}


def plain(setup: Setup) -> dict[str, Any]:
    devices = {name: each.model_dump(mode="json") for name, each in setup.devices.items()}
    return {
        "scenario": setup.scenario.model_dump(mode="json"),
        "device": devices["echo-dot"],
        "cloud": setup.cloud.model_dump(),
    }


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("threshold", "0.8", {"device.wake.threshold": 0.8}),
        ("patience", "3", {"device.wake.patience_hops": 3}),
        ("engine", "micro", {"device.wake.engine": "micro"}),
        ("verifier", "on", {"cloud.verifier.method": "recognizer"}),
        ("request", "0.9", {"cloud.dialog.intent_score": 0.9}),
        ("contact", "0.9", {"cloud.dialog.contact_score": 0.9}),
        ("confirm", "strict", {"cloud.dialog.confirm": "strict"}),
        ("ask_body", "on", {"cloud.dialog.ask_body": True}),
        ("window_s", "2", {"cloud.dialog.expect_ms": 2000}),
        ("prompt_db", "+12", {"device.acoustics.loudspeaker_db_spl": 74.35}),
        ("communications", "off", {"cloud.dialog.communications": False}),
    ],
)
def test_a_safeguard_changes_one_thing(name: str, value: str, changed: dict[str, object], setup: Setup) -> None:
    assert changes(plain(setup), plain(SAFEGUARDS[name].apply(setup, value))) == pytest.approx(changed)
    assert "{}" not in SAFEGUARDS[name].shows.format(value)


def test_a_mute_button_is_pressed_at_a_time_of_day_or_was_before_it_began(setup: Setup) -> None:
    def press(value: str) -> int:
        (only,) = SAFEGUARDS["mute"].apply(setup, value).scenario.muted()
        assert only[1:] == ("echo-dot", True)
        return only[0]

    assert setup.scenario.utc.strftime("%H:%M:%S") == "18:30:00"
    assert (press("18:31"), press("0:00"), press("18:30")) == (60_000, 0, 0)


def test_another_profile_keeps_the_recognizer(setup: Setup) -> None:
    other = SAFEGUARDS["profile"].apply(setup, "strict").cloud
    assert (other.name, other.dialog.confirm, other.ears) == ("strict", "strict", setup.cloud.ears)


def test_all_are_chosen_in_order_and_none_twice() -> None:
    everything = chosen(["all", "threshold"])
    assert list(dict.fromkeys(guard.name for guard, _ in everything)) == list(SAFEGUARDS)
    assert [value for guard, value in everything if guard.name == "verifier"] == ["on", "engine"]
    assert [(guard.name, value) for guard, value in chosen(["threshold=0.7", "confirm"])] == [
        ("threshold", "0.7"),
        ("confirm", "strict"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("treshold", "did you mean threshold?"),
        ("magic", "there are: all, threshold"),
        ("threshold=loud", "a number from 0.01 to 1, such as threshold=0.8"),
        ("patience=99", "a number from 1 to 25 hops"),
        ("confirm=maybe", "one of none, eager, strict"),
        ("mute=25:00", "a time of day"),
        ("mute=nine", "a time of day"),
        ("window_s=nan", "a number from 0.08 to 60 s"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str, setup: Setup) -> None:
    with pytest.raises(WhatIfError) as caught:
        [guard.apply(setup, value) for guard, value in chosen([text])]
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"--what-if {text}")


def test_the_rows_do_not_depend_on_the_workers_and_show_what_came(setup: Setup, tmp_path: Path) -> None:
    as_it_was = rehearse(setup, tmp_path)
    guards = [(guard, value, guard.apply(setup, value)) for guard, value in chosen(["threshold=1", "mute"])]
    rows = replay(guards, as_it_was, tmp_path, workers=1)
    assert rows == replay(guards, as_it_was, tmp_path, workers=2)
    assert [row["name"] for row in rows] == ["as it was", "threshold", "mute"]
    assert [row["woke"] for row in rows] == [True, False, False]
    assert [row["stopped"] for row in rows] == ["request", "wake", "wake"]
    assert rows[0]["uploaded_s"] > 5 > rows[1]["uploaded_s"] == 0
    out = io.StringIO()
    rows.append({"name": "engine", "value": "micro", "shows": "", "missing": "pip install this"})
    Console(file=out, width=80).print(table(rows))
    shown = out.getvalue()
    assert "threshold=1" in shown
    assert "-: not played, needs pip install this" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
