"""What Home Assistant is told, and what it may order.

`tests/data/home/discovery.json` is the announcement that Home Assistant 2025.4.4 itself took without a word of
complaint: with it, every entity was there, the switch muted the device, and remove took all of it away.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from device.events import Event, Kind
from device.home.dialect import Post, Press
from device.home.home_assistant import HomeAssistant, config_topic
from device.orders import Refused
from device.states import State
from tests.home_bridge_kit import posts, state, wake

ACCEPTED = Path(__file__).parents[3] / "data" / "home" / "discovery.json"
STATE = "misheard/home/dot/state"


def there(texts: bool = False) -> HomeAssistant:
    return HomeAssistant("dot", "homeassistant", texts)


@pytest.mark.parametrize("texts", [False, True])
def test_the_announcement_is_the_one_that_home_assistant_accepted(texts: bool) -> None:
    accepted = json.loads(ACCEPTED.read_text().replace("VERSION", version("misheard")))
    assert there(texts).discovery() == accepted["texts" if texts else "plain"]


def test_every_topic_that_it_names_is_one_that_is_used() -> None:
    dialect = there(texts=True)
    said = {post.topic for post in [*dialect.greet(), *dialect.tell(wake())]}
    said |= {post.topic for kind in ("transcript", Kind.PROMPT) for post in dialect.tell(Event(0, kind, {"text": "a"}))}

    def named(tree: Any, suffix: str) -> set[str]:
        if not isinstance(tree, dict):
            return set()
        here = {value for key, value in tree.items() if key.endswith(suffix) and isinstance(value, str)}
        return here.union(*(named(value, suffix) for value in tree.values()))

    assert named(dialect.discovery(), "command_topic") <= set(dialect.topics)
    assert named(dialect.discovery(), "state_topic") | named(dialect.discovery(), "availability_topic") <= said


def test_it_greets_with_announcement_availability_and_state_all_kept() -> None:
    greeting = there().greet()
    assert [post.topic for post in greeting] == [
        "homeassistant/device/misheard-dot/config",
        "misheard/home/dot/availability",
        STATE,
    ]
    assert all(post.retained for post in greeting)
    assert set(there().retained()) == {post.topic for post in greeting}, "remove forgets nothing"


def test_the_state_follows_the_device() -> None:
    dialect = there()
    dialect.tell(state(State.RECOGNIZING))
    dialect.tell(Event(0, Kind.LIGHT, {"light": "listening"}))
    dialect.tell(Event(0, Kind.MUTE, {"muted": True, "by": "button"}))
    dialect.tell(Event(0, "connected", {}))
    dialect.tell(Event(0, Kind.NEAR_MISS, {"word": "alexa", "score": 0.4}))
    said = posts(dialect.tell(wake()))
    assert said == {
        STATE: {
            "state": "RECOGNIZING",
            "listening": "ON",
            "mute": "ON",
            "far_end": "ON",
            "wakes": 1,
            "near_misses": 1,
        },
        "misheard/home/dot/wake": {"event_type": "wake", "word": "alexa", "score": 0.9123},
    }
    assert posts(dialect.greet())[STATE] == said[STATE], "said again at the next connection"
    off = dialect.tell(Event(0, Kind.LIGHT, {"light": "muted"}))
    assert posts(off)[STATE]["listening"] == "OFF"


def test_texts_stay_at_home_unless_asked_for_and_are_never_kept_by_the_broker() -> None:
    heard, said = Event(0, "transcript", {"clip": "x", "text": "a secret"}), Event(0, Kind.PROMPT, {"text": "b" * 400})
    assert not {heard.kind, said.kind} & there().kinds
    dialect = there(texts=True)
    assert {heard.kind, said.kind} <= dialect.kinds
    (post,) = dialect.tell(heard)
    assert post == Post("misheard/home/dot/last_heard", b"a secret")
    (post,) = dialect.tell(said)
    assert len(post.payload.decode()) == 255, "the longest state that Home Assistant takes"


@pytest.mark.parametrize(("payload", "muted"), [(b"ON", True), (b"OFF", False)])
def test_its_switch_is_the_mute_switch(payload: bytes, muted: bool) -> None:
    assert there().obey("misheard/home/dot/mute/set", payload) == (Press(muted),)


@pytest.mark.parametrize("payload", [b"", b"on", b"ON\n", b"\xff" * 5000, b'{"muted": false}'])
def test_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused, match="neither ON nor OFF"):
        there().obey("misheard/home/dot/mute/set", payload)


def test_it_announces_itself_anew_when_home_assistant_has_started() -> None:
    dialect = HomeAssistant("dot", "ha/discovery", texts=False)
    assert "ha/discovery/status" in dialect.topics
    assert dialect.obey("ha/discovery/status", b"online") == dialect.greet()
    assert config_topic("ha/discovery", "dot") in posts(dialect.greet())
    for payload in (b"offline", b"", b"\xff"):
        assert not dialect.obey("ha/discovery/status", payload)
