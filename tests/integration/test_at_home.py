"""A home as it is meant to be: device and far end as two programs beside a real Mosquitto, and a home that listens in.

The broker runs the shipped configuration for homes: this machine without a word, everybody else over TLS by password.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from device.config import load_device
from sim.cloud.store import ClipStore
from tests.broker_kit import BROKERS, authority_of, client
from tests.firmware_kit import kitchen
from tests.uplink_kit import Diary, Keys, free_port, run_mosquitto
from uplink.address import Access
from uplink.link import Link
from uplink.profiles import PROFILES
from wakeword.sound import RATE, encode_flac

DEADLINE_S = 120.0
WAKE, STATE = "misheard/home/echo-dot/wake", "misheard/home/echo-dot/state"
DETECTED, CAPTURED = "hermes/hotword/alexa/detected", "rhasspy/asr/echo-dot/s-1/audioCaptured"


class Broker(NamedTuple):
    """Its address on this machine, for the home, and what it takes to get in there."""

    here: str
    home: str
    access: Access


@pytest.fixture
def broker(needs: Callable[[str], str], tmp_path: Path) -> Iterator[Broker]:
    program, here, home = needs("mosquitto"), free_port(), free_port()
    authority = authority_of(tmp_path / "ca")
    users, rules, config = tmp_path / "home.users", tmp_path / "home.acl", tmp_path / "mosquitto.conf"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "home", "secret"], check=True)
    rules.write_text((BROKERS / "mosquitto-home.acl").read_text())
    rules.chmod(0o700)
    text = (BROKERS / "mosquitto-home.conf").read_text()
    places = {
        "listener 1883 127.0.0.1": f"listener {here} 127.0.0.1",
        "listener 8884": f"listener {home} 127.0.0.1",
        "/etc/mosquitto/certs": str(authority.folder),
        "/etc/mosquitto/home.users": str(users),
        "/etc/mosquitto/home.acl": str(rules),
        "/var/lib/mosquitto/": f"{tmp_path}/",
    }
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    config.write_text(f"{text}\nuser root\n")
    access = Access(authority.certificate, named=True, limits=PROFILES["mosquitto"])
    with run_mosquitto(program, config, here):
        yield Broker(f"mqtt://127.0.0.1:{here}", f"mqtts://home:secret@localhost:{home}", access)


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """One of ours, as somebody starts it."""
    command = [sys.executable, "-m", "sim.main", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE_S)


def spoken(tmp_path: Path) -> Path:
    """A lecture, which wakes, and then quiet."""
    begin = next(line.begin for line in kitchen().truth if line.text.startswith("A lecture"))
    sound = kitchen().samples[begin - RATE : begin + 4 * RATE]
    path = tmp_path / "lecture.flac"
    path.write_bytes(encode_flac(np.concatenate((sound, np.zeros(4 * RATE, np.int16)))))
    return path


def test_device_and_far_end_beside_a_broker_and_the_home_is_told_and_obeyed(broker: Broker, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "state", "echo-dot")
    diary, sound = Diary(), list[bytes]()

    def keep(topic: str, payload: bytes) -> None:
        if topic == CAPTURED:
            sound.append(payload)
        diary(topic, {"payload": payload.decode(errors="replace")})

    home = Link(
        broker.home,
        "home-assistant",
        topics=(WAKE, STATE, DETECTED, CAPTURED),
        on_message=keep,
        on_up=lambda: None,
        on_down=lambda _reason: None,
        access=broker.access,
    )
    home.open(strict=True)
    settings = [
        *("--config", "pi-at-home", "--broker", broker.here, "--set", f"home.broker={broker.here}"),
        *("--set", "home.hermes.enabled=true", "--set", "home.hermes.audio_captured=true"),
    ]
    far_end = ("cloud", "--broker", broker.here, "--store", keys.folder / "cloud")
    with (
        program(*far_end),
        program("device", "--source", spoken(tmp_path), "--state", keys.folder, *settings) as device,
    ):
        detected = json.loads(diary.wait(DETECTED, deadline_s=DEADLINE_S)["payload"])
        start = {"siteId": detected["siteId"], "sessionId": "s-1", "sendAudioCaptured": True}
        home.publish("hermes/asr/startListening", json.dumps(start).encode(), qos=1)
        diary.wait(CAPTURED, deadline_s=DEADLINE_S)
        home.publish("misheard/home/echo-dot/mute/set", b"ON", qos=1)
        while json.loads(diary.wait(STATE, deadline_s=DEADLINE_S)["payload"])["mute"] != "ON":
            pass
        said, _ = device.communicate(timeout=DEADLINE_S)
    home.close()
    assert device.returncode == 0, said
    assert json.loads(diary.all(WAKE)[0]["payload"])["word"] == "alexa"
    assert "microphone off" in said
    store = ClipStore(keys.folder / "cloud")
    (clip,) = store.clips()
    with wave.open(io.BytesIO(sound[0])) as file:
        captured = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_array_equal(captured, store.audio(clip.id), "what Rhasspy got is what the far end got")
    store.close()


def test_the_home_may_neither_hear_clips_nor_order_what_a_far_end_orders(broker: Broker) -> None:
    diary, here = Diary(), Diary()
    home = client(broker.home, "home-assistant", broker.access, "#", diary=diary)
    home.open(strict=True)
    local = client(broker.here, "far-end", Access(), "misheard/v1/dot/directive", "homeassistant/status", diary=here)
    local.open(strict=True)
    diary.wait("up")
    here.wait("up")
    local.publish("misheard/v1/dot/part", b"{}", qos=1)
    local.publish(STATE, b"{}", qos=1)
    diary.wait(STATE)
    assert not diary.all("misheard/v1/dot/part")
    home.publish("misheard/v1/dot/directive", b"{}", qos=1)
    home.publish("homeassistant/status", b"online", qos=1)
    here.wait("homeassistant/status")
    assert not here.all("misheard/v1/dot/directive")
    for link in (home, local):
        link.close()


def test_the_shipped_profile_is_for_this_machine() -> None:
    settings = load_device("pi-at-home")
    assert {settings.uplink.broker, settings.home.broker} == {"mqtt://127.0.0.1:1883"}
    assert not settings.home.texts
    assert not settings.home.hermes.enabled
    assert not settings.gpio.used
