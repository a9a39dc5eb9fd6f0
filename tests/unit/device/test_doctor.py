"""What the doctor finds on machines that are not well, and what leaves the house in its bundle."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.config import DeviceSettings
from device.doctor import computer, sound, way
from device.doctor.examine import CHECKS, examine
from device.doctor.finding import Finding, Patient
from sim.main import main
from tests.firmware_kit import settings_of
from uplink.certificates import Pair, issue, new_authority
from uplink.keyring import Keyring, introduce
from uplink.spool import Spool

NOW = datetime.now(UTC)
Check = Callable[[Patient], Iterator[Finding]]


def patient(
    root: Path, settings: DeviceSettings | None = None, broker: str = "embedded", **environment: str
) -> Patient:
    return Patient(settings or settings_of(), root / "state", broker, root, environment)


def look(check: Check, who: Patient) -> list[tuple[str, str]]:
    return [(finding.level, f"{finding.text} -> {finding.mend}") for finding in check(who)]


def write(root: Path, path: str, text: str) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("milli", "bits", "levels"),
    [
        ("45000", "0x0", ["ok", "ok"]),
        ("72000", "50000", ["note", "note"]),  # as a Raspberry Pi writes it, without 0x
        ("81250", "50005", ["wrong", "wrong"]),
        ("no number", "no number", []),
    ],
)
def test_heat_and_power_are_read_as_the_kernel_tells_them(
    tmp_path: Path, milli: str, bits: str, levels: list[str]
) -> None:
    write(tmp_path, "/sys/class/thermal/thermal_zone0/temp", f"{milli}\n")
    write(tmp_path, "/sys/devices/platform/soc/soc:firmware/get_throttled", f"{bits}\n")
    found = look(computer.heat, patient(tmp_path))
    assert [level for level, _ in found] == levels
    if levels == ["wrong", "wrong"]:
        assert "81 degrees -> give it air" in found[0][1]
        assert "too little voltage, it is slowed down -> use the power supply" in found[1][1]


def test_a_disk_without_room_or_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    assert look(computer.disk, patient(tmp_path))[0][0] == "ok"
    (tmp_path / "state").write_text("a file")
    ((level, text),) = look(computer.disk, patient(tmp_path))
    assert level == "wrong"
    assert "cannot be written (Not a directory)" in text


def test_a_disk_that_has_turned_read_only_is_told_from_one_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("device.doctor.computer.tempfile.NamedTemporaryFile", refuse)
    ((level, text),) = look(computer.disk, patient(tmp_path))
    assert (level, "cannot be written (Read-only file system) -> mount it for writing" in text) == ("wrong", True)


def test_a_zone_that_is_none_is_wrong_and_times_stay_utc(tmp_path: Path) -> None:
    assert look(computer.zone, patient(tmp_path, TZ="Europe/Berlin"))[0][0] == "ok"
    ((level, text),) = look(computer.zone, patient(tmp_path, TZ="Nowhere/Land"))
    assert level == "wrong"
    assert "Nowhere/Land, which is no time zone here" in text


def test_a_clock_without_a_chip_is_named(tmp_path: Path) -> None:
    assert "no clock chip" in look(computer.clock, patient(tmp_path))[-1][1]
    write(tmp_path, "/dev/rtc0", "")
    assert "no clock chip" not in look(computer.clock, patient(tmp_path))[-1][1]


def test_cards_that_this_user_may_not_use_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(sound.groups, patient(tmp_path))[0][0] == "note"
    write(tmp_path, "/dev/snd/pcmC1D0c", "")
    assert look(sound.groups, patient(tmp_path))[0][0] == "ok"
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may do all
    ((level, text),) = look(sound.groups, patient(tmp_path))
    assert level == "wrong"
    assert "usermod -aG audio" in text


def test_a_model_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    ((level, text),) = look(sound.models, patient(tmp_path, settings_of(wake={"words": ["hey_nobody"]})))
    assert level == "wrong"
    assert "hey_nobody" in text
    ((level, text),) = look(sound.models, patient(tmp_path))
    assert (level, text) == ("ok", "alexa 6ff566a01d12 (openwakeword) -> ")


@contextmanager
def tls_server(folder: Path, pair: Pair) -> Iterator[int]:
    """A real server that shakes hands and closes; gives its port."""
    (folder / "server.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                wire, _ = server.accept()
                with wire, context.wrap_socket(wire, server_side=True) as closed:
                    closed.recv(1)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(20)


@pytest.mark.parametrize(
    ("days", "level", "says"),
    [(400, "ok", "good until"), (10, "note", "have a new one issued"), (-1, "wrong", "has expired; ")],
)
def test_a_broker_s_certificate_is_read_by_its_dates(tmp_path: Path, days: int, level: str, says: str) -> None:
    begun = NOW - timedelta(days=30)
    authority, crl = new_authority("here", begun, 1000)
    pair = issue(authority, crl, "broker", ["127.0.0.1"], begun, 30 + days)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    settings = settings_of(uplink={"ca_file": tmp_path / "ca.pem"})
    with tls_server(tmp_path, pair) as port:
        ((found, text),) = look(way.broker, patient(tmp_path, settings, f"mqtts://127.0.0.1:{port}"))
    assert found == level
    assert says.replace("; ", "") in text


def test_no_broker_open_keys_and_an_old_certificate_are_wrong(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ((level, text),) = look(way.broker, patient(tmp_path, broker=f"mqtt://127.0.0.1:{port}"))
    assert level == "wrong"
    assert "no broker answers at" in text
    authority, crl = new_authority("here", NOW - timedelta(days=60), 1000)
    pair = issue(authority, crl, "dot", [], NOW - timedelta(days=60), 30)
    (tmp_path / "c.pem").write_bytes(pair.certificate)
    (tmp_path / "k.pem").write_bytes(pair.key)
    (tmp_path / "k.pem").chmod(0o644)
    settings = settings_of(uplink={"certificate_file": tmp_path / "c.pem", "key_file": tmp_path / "k.pem"})
    found = look(way.certificates, patient(tmp_path, settings))
    assert [level for level, _ in found] == ["wrong", "wrong"]
    assert "out of date since" in found[0][1]
    assert f"chmod 600 {tmp_path}/k.pem" in found[1][1]
    ((level, text),) = look(way.keys, patient(tmp_path, broker="mqtt://127.0.0.1"))
    assert (level, "misheard keys new device" in text) == ("wrong", True)


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_patient: Patient) -> Iterator[Finding]:
        raise RuntimeError("no such thing")
        yield

    monkeypatch.setattr("device.doctor.examine.CHECKS", (broken, computer.python))
    first, second = examine(patient(tmp_path))
    assert (first.level, "no such thing" in first.text) == ("wrong", True)
    assert second.topic == "python"
    assert len(CHECKS) > 10


SECRETS = {
    "device name": "annas-bedroom",
    "microphone": "Annas Blue Yeti",
    "broker": "broker.anna-example.org",
    "address": "192.168.7.31",
    "user": "anna@anna-example.org",
    "said": "meet me by the river",
    "contact": "Frank Miller",
    "path": "/home/anna",
    "file": "of-anna.pem",
}


def test_nobody_and_no_word_is_in_the_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is secret lies where the doctor looks; every byte of what is packed is searched for it."""
    state = tmp_path / "state"
    name = SECRETS["device name"]
    ring = Keyring.of_device(state, name)
    introduce(ring, Keyring.of_far_end(tmp_path / "far-end"))
    spool = Spool(state / name / "spool.sqlite")
    sound_bytes = b"fLaC" + bytes(range(200))
    spool.put(f"{name}-20260101t000000000000-000000000000", 0, "d" * 64, sound_bytes)
    spool.close()
    run = state / "runs" / "000001-20260101t000000"
    run.mkdir(parents=True)
    events = [
        {"sample": 1, "utc": "", "kind": "transcript", "clip": f"{name}-1", "text": SECRETS["said"]},
        {"sample": 2, "utc": "", "kind": "message", "to": SECRETS["contact"], "text": SECRETS["said"], "audio_s": 2.5},
        {"sample": 3, "utc": "", "kind": "disconnected", "reason": f"{SECRETS['address']} {SECRETS['user']} is gone"},
        {"sample": 4, "utc": "", "kind": "spool_error", "reason": f"{SECRETS['path']}/spool is full"},
    ]
    (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events) + '{"torn')
    config = tmp_path / "device.yaml"
    config.write_text(
        f"name: {name}\naudio: {{microphone: '{SECRETS['microphone']}'}}\n"
        f"uplink: {{broker: 'mqtts://{SECRETS['broker']}', ca_file: {SECRETS['path']}/ca.pem,\n"
        f"  certificate_file: {SECRETS['file']}}}\n"
    )
    bundle = tmp_path / "help.zip"
    wish = ["doctor", "--config", str(config), "--state", str(state), "--bundle", str(bundle), "--json"]
    assert main(wish) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert bundle.stat().st_mode & 0o777 == 0o600

    with zipfile.ZipFile(bundle) as packed:
        contents = {each: packed.read(each) for each in packed.namelist()}
    everything = bundle.read_bytes() + b"".join(contents.values())
    own = ring.own()
    for what, secret in {**SECRETS, "host": socket.gethostname(), "state": str(state)}.items():
        assert secret.casefold().encode() not in everything.lower(), what
    for secret_bytes in (own.seed, own.seed.hex().encode(), own.public.raw.hex().encode(), sound_bytes[4:60]):
        assert secret_bytes not in everything
    kinds: list[Any] = [event["kind"] for event in json.loads(contents["events.json"])]
    assert kinds == ["transcript", "message", "disconnected", "spool_error"]
    assert json.loads(contents["spool.json"])["clips"] == 1
    settings = json.loads(contents["settings.json"])
    assert (settings["uplink"]["spool_mb"], settings["uplink"]["broker"]) == (256, "(set)")
    assert (settings["audio"]["microphone"], settings["wake"]["words"]) == ("(set)", "(1 set)")

    assert main(wish) == 1
    assert "is there already" in capsys.readouterr().err


def test_what_is_wrong_is_read_with_its_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--state", str(tmp_path), "--set", "wake.words=[hey_nobody]"])
    text = capsys.readouterr().out
    assert code == 1
    assert "✗ models" in text
    assert "→ " in text
    assert "to mend" in text
