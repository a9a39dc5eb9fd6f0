"""The bridge to the home on a real Mosquitto: absences, restarts, floods and nonsense."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.audio import Block
from device.config import DeviceSettings, load_device
from device.errors import ConfigError
from device.events import Event, Kind
from device.home.bridge import Bridge
from device.home.home_assistant import HomeAssistant
from device.home.household import dialects_of
from device.home.settings import HomeSettings
from device.mute import Hand
from sim.main import main
from tests.broker_kit import client
from tests.home_bridge_kit import DEADLINE_S, Ordered, wake
from tests.uplink_kit import Diary, free_port, mosquitto
from uplink.address import ANYBODY
from uplink.link import Link
from wakeword.sound import encode_flac

CONFIG, STATE = "homeassistant/device/misheard-dot/config", "misheard/home/dot/state"
HERE, SWITCH, BIRTH = "misheard/home/dot/availability", "misheard/home/dot/mute/set", "homeassistant/status"
TOGGLE_OFF = "hermes/hotword/toggleOff"


@pytest.fixture
def url(needs: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    with mosquitto(needs("mosquitto"), tmp_path, free_port()) as broker:
        yield broker


def bridge_to(url: str, room: int = 256, **home: Any) -> Bridge:
    settings = DeviceSettings(name="dot", home=HomeSettings.model_validate({"broker": url, **home}))
    return Bridge(url, "dot", dialects_of(settings), access=settings.home.access(), room=room)


@contextmanager
def running(url: str, **home: Any) -> Iterator[tuple[Bridge, Ordered]]:
    bridge, device = bridge_to(url, **home), Ordered()
    bridge.start(device)
    try:
        device.wait(lambda: bool(device.told("home_connected")))
        yield bridge, device
    finally:
        bridge.close()


@contextmanager
def watching(url: str, *topics: str, name: str = "watcher") -> Iterator[tuple[Link, Diary]]:
    """Somebody else on that broker."""
    diary = Diary()
    link = client(url, name, ANYBODY, *topics, diary=diary)
    link.open(strict=True)
    diary.wait("up")
    try:
        yield link, diary
    finally:
        link.close()


def payload(facts: Any) -> Any:
    return json.loads(facts["payload"])


def test_whoever_comes_later_finds_the_device_and_sees_it_go(url: str) -> None:
    with running(url) as (bridge, _):
        bridge.note(wake())
        with watching(url, CONFIG, STATE, HERE) as (_, diary):
            while not all(map(diary.all, (CONFIG, HERE, STATE))) or not payload(diary.all(STATE)[-1])["wakes"]:
                diary.wait(CONFIG, HERE, STATE)
            assert payload(diary.all(CONFIG)[0])["dev"]["name"] == "dot"
            assert diary.all(HERE)[0]["payload"] == "online"
            bridge.close()
            assert diary.wait(HERE)["payload"] == "offline"


def test_a_device_that_is_cut_off_is_gone_by_its_last_will(url: str) -> None:
    with running(url) as (bridge, _), watching(url, HERE) as (_, diary):
        assert diary.wait(HERE)["payload"] == "online"
        connection = bridge._link._connection
        assert connection is not None
        assert connection.socket is not None
        connection.abandon()  # without a goodbye
        assert diary.wait(HERE)["payload"] == "offline"
        assert diary.wait(HERE)["payload"] == "online", "and it comes back"


def test_it_announces_itself_to_a_broker_and_to_a_home_assistant_that_have_started_anew(
    needs: Callable[[str], str], tmp_path: Path
) -> None:
    port = free_port()
    bridge, device = bridge_to(f"mqtt://127.0.0.1:{port}"), Ordered()
    bridge.start(device)
    try:
        device.wait(lambda: bool(device.told("home_disconnected")))
        bridge.note(Event(0, Kind.MUTE, {"muted": True, "by": "button"}))
        bridge.note(wake())  # a moment that nobody is told of
        for times in (1, 2):
            with mosquitto(needs("mosquitto"), tmp_path, port) as url, watching(url, CONFIG, STATE) as (link, diary):
                now = payload(diary.wait(STATE))
                assert (now["mute"], now["wakes"]) == ("ON", 1)
                assert len(device.told("home_connected")) == times
                while not diary.all(CONFIG):
                    diary.wait(CONFIG)
                link.publish(BIRTH, b"online", qos=1)
                diary.wait(CONFIG)
            device.wait(lambda count=times: len(device.told("home_disconnected")) > count)  # type: ignore[misc]
    finally:
        bridge.close()
    assert [facts["unsaid"] for facts in device.told("home_connected")] == [1, 0]


def test_the_switch_of_home_assistant_reaches_the_device_and_nonsense_is_one_event(url: str) -> None:
    with running(url) as (_, device), watching(url) as (link, _):
        for nonsense in (b"", b"\xff\xfe", b"ON" * 50_000):
            link.publish(SWITCH, nonsense, qos=1)
        link.publish(SWITCH, b"ON", qos=1)
        device.wait(lambda: bool(device.orders))
        assert device.orders == [(True, Hand.HOME)]
        refused = device.told("home_refused")
        assert [(facts["topic"], facts["count"]) for facts in refused] == [(SWITCH, 1), (SWITCH, 2), (SWITCH, 3)]


def test_a_flood_costs_a_few_events_and_holds_nothing_up(url: str) -> None:
    with running(url) as (bridge, device), watching(url, HERE, "echo") as (link, diary):
        diary.wait(HERE)
        for _ in range(3000):
            link.publish(SWITCH, b"nonsense", qos=0)
        end = time.monotonic() + DEADLINE_S
        while len(diary.all(HERE)) < 2:  # some are refused or dropped until it has come through all of it
            assert time.monotonic() < end
            link.publish(BIRTH, b"online", qos=1)
            link.publish("echo", b"", qos=1)
            diary.wait("echo")
        bridge.note(wake())
        refused = [facts for facts in device.told("home_refused") if facts["topic"] == SWITCH]
        assert 3 <= len(refused) <= 13, "1, 2, 3, 4, 8, ..."
        assert device.orders == []
        assert not device.told("home_failed")


def test_rhasspy_switches_the_wake_word_and_a_broken_link_switches_it_on_again(
    needs: Callable[[str], str], tmp_path: Path
) -> None:
    with (
        mosquitto(needs("mosquitto"), tmp_path, free_port()) as url,
        running(url, hermes={"enabled": True, "site": "den"}) as (bridge, device),
    ):
        with watching(url, "hermes/hotword/alexa/detected") as (link, diary):
            bridge.note(wake())
            assert payload(diary.wait("hermes/hotword/alexa/detected"))["siteId"] == "den"
            link.publish(TOGGLE_OFF, b'{"siteId": "den", "reason": "dialogueSession"}', qos=1)
            device.wait(lambda: device.orders == [False])
        connection = bridge._link._connection
        assert connection is not None
        connection.abandon()
        device.wait(lambda: device.orders == [False, True])


def test_what_does_not_fit_is_counted_and_the_sound_never_waits(url: str) -> None:
    bridge, device = bridge_to(url, room=8, hermes={"enabled": True, "audio_frames": True}), Ordered()
    held, holding = threading.Event(), threading.Event()

    def hold(kind: str, facts: Any) -> None:
        Ordered.tell(device, kind, facts)
        if kind == "home_connected":
            holding.set()
            assert held.wait(20)

    device.tell = hold  # type: ignore[method-assign]
    bridge.start(device)
    assert holding.wait(20)
    for k in range(100):  # while the bridge's own thread stands still
        bridge.hear(Block(k * 320, np.zeros(320, np.int16)))
    held.set()
    device.wait(lambda: bool(device.told("home_dropped")))
    assert device.told("home_dropped")[0]["count"] in range(92, 101)
    bridge.close()


def test_remove_takes_away_all_that_the_broker_keeps(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--set", "name=dot", "--set", f"home.broker={url}"]
    with running(url):
        pass
    with watching(url, CONFIG, HERE) as (_, diary):
        diary.wait(CONFIG)
        assert main(["home-assistant", "remove", *more]) == 0
        assert diary.wait(CONFIG)["payload"] == ""
    assert "dot is taken away" in capsys.readouterr().out
    with watching(url, "misheard/home/dot/#", "homeassistant/#", name="another") as (link, diary):
        link.publish("misheard/home/dot/last", b"", qos=1)
        diary.wait("misheard/home/dot/last")
        assert {kind for kind, _ in diary.entries} == {"up", "misheard/home/dot/last"}, "something is left"
    assert main(["home-assistant", "show", *more]) == 0
    assert json.loads(capsys.readouterr().out)["dev"]["name"] == "dot"


def test_remove_says_so_where_the_broker_does_not_obey(
    needs: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("device.home.command._ECHO_S", 0.5)
    rules = tmp_path / "rules.acl"
    rules.write_text("topic read #\nuser me\ntopic readwrite #\n")
    rules.chmod(0o700)
    lines = ("allow_anonymous true", f"acl_file {rules}", "user root")
    with mosquitto(needs("mosquitto"), tmp_path, free_port(), lines) as url:
        mine = HomeAssistant("echo-dot", "homeassistant", texts=False).greet()
        with watching(url.replace("//", "//me@"), mine[0].topic) as (link, diary):
            for post in mine:
                link.publish(post.topic, post.payload, qos=1, retain=True)
            diary.wait(mine[0].topic)
        assert main(["home-assistant", "remove", "--set", f"home.broker={url}"]) == 1
    assert "does not confirm it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["home.broker=http://127.0.0.1"], "write mqtt"),
        (["home.broker=mqtt://u:secret@127.0.0.1"], "home.password_file"),
        (["home.broker=mqtt://10.9.8.7"], "mqtts://10.9.8.7"),
        (["home.broker=mqtt://127.0.0.1", "home.user=me", "home.password_file=/nowhere"], "/nowhere cannot be read"),
        (["home.password_file=/nowhere"], "home.user is not"),
        (["home.hermes.enabled=true"], "name home.broker"),
        (["home.hermes.site=a/b"], "home.hermes.site"),
        (["gpio.light_pin=40"], "gpio.light_pin is 40"),
        (["home.brocker=x"], "did you mean broker?"),
    ],
)
def test_a_home_that_cannot_be_is_one_sentence(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = tmp_path / "sound.flac"
    sound.write_bytes(encode_flac(np.zeros(1600, np.int16)))
    settings = [part for each in more for part in ("--set", each)]
    code = main(["device", "--source", str(sound), "--pace", "fast", "--state", str(tmp_path), *settings])
    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("misheard: ")
    assert said.count("\n") == 1
    assert words in said


def test_a_password_in_a_file_of_settings_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "dot.yaml"
    file.write_text("home:\n  broker: mqtt://me:secret@127.0.0.1\n")
    with pytest.raises(ConfigError, match=r"dot\.yaml:2: home\.broker is .*name home\.user") as refused:
        load_device(file)
    assert "secret" not in str(refused.value)


def test_user_and_password_go_to_the_broker_and_not_into_the_manifest(
    needs: Callable[[str], str], tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("pass: w@rd/#\n")
    listed = tmp_path / "users"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", listed, "me", "pass: w@rd/#"], check=True
    )  # Debian has it in the broker's package
    lines = ("allow_anonymous false", f"password_file {listed}", "user root")
    settings = load_device(overrides=[("home.user", "me"), ("home.password_file", str(password))])
    with mosquitto(needs("mosquitto"), tmp_path, free_port(), lines) as url:
        home = settings.home.model_copy(update={"broker": url})
        bridge, device = (
            Bridge(home.url(), "dot", (HomeAssistant("dot", "ha", False),), access=home.access()),
            Ordered(),
        )
        bridge.start(device)
        device.wait(lambda: bool(device.told("home_connected")))
        bridge.close()
    assert "w@rd" not in json.dumps(settings.model_dump(mode="json"))
