"""`misheard spool` on real spools, beside a device that runs and without one; `misheard uplink tail`; metrics."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.main import main
from tests.uplink_kit import DEADLINE_S, Counter, Diary, Keys, cut, free_port, noise
from uplink.broker import EmbeddedBroker
from uplink.errors import LinkError
from uplink.message import Part, decode_part, digest_of, encode_part
from uplink.metrics import Metrics
from uplink.sender import Sender
from uplink.spool import Moment, Spool
from uplink.tail import describe, line

SAMPLES = noise(4_000)
OLD, NEW = cut(SAMPLES, 1_000), cut(SAMPLES, 1_000, begin=10**6)


def put(spool: Spool, keys: Keys, part: Part) -> None:
    payload = encode_part(part, keys.device)
    spool.put(part.clip, part.number, digest_of(payload), payload, last=part.last)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Give the keys of a device on whose spool two clips wait, one of them begun years ago."""
    keys = Keys(tmp_path)
    utc = "2019-01-01T00:00:00.000000Z"
    spool = Spool(tmp_path / "dot" / "spool.sqlite", now=lambda: Moment(0.0, utc))
    for part in OLD:
        put(spool, keys, part)
    utc = "2999-01-01T00:00:00.000000Z"
    for part in NEW[:3]:
        put(spool, keys, part)
    spool.close()
    return keys


def spool(keys: Keys, *words: str) -> int:
    return main(["spool", *words, "--name", "dot", "--state", str(keys.folder)])


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_list_and_show_tell_what_waits(keys: Keys, capsys: pytest.CaptureFixture[str]) -> None:
    assert spool(keys, "list") == 0
    text = capsys.readouterr().out
    assert text.startswith("dot: 2 clips, 7 parts, ")
    assert "device runs" not in text
    assert [each.split()[0] for each in text.splitlines()[2:]] == [OLD[0].clip, NEW[0].clip]
    assert text.rstrip().endswith("under way")
    assert spool(keys, "list", "--json") == 0
    listed = said(capsys)
    assert [(clip["clip"], clip["parts"], clip["closed"]) for clip in listed["clips"]] == [
        (OLD[0].clip, 4, True),
        (NEW[0].clip, 3, False),
    ]
    assert (listed["running"], listed["dropped"]) == (False, [])
    assert spool(keys, "show", NEW[0].clip) == 0
    assert "62.50 s" in capsys.readouterr().out
    assert spool(keys, "show", NEW[0].clip, "--json") == 0
    parts = said(capsys)["parts"]
    assert [(part["number"], part["begin"], part["end"]) for part in parts] == [
        (part.number, part.begin, part.end) for part in NEW[:3]
    ]
    assert {part["key"] for part in parts} == {keys.far_end_ring.own().fingerprint}


def test_export_copies_what_waits_as_it_is(keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert spool(keys, "export", "ALL", "--out", str(out)) == 0
    assert capsys.readouterr().out.startswith("7 parts of 2 clips in ")
    files = sorted(out.rglob("*.part"))
    assert [decode_part("dot", file.read_bytes(), keys.far_end) for file in files] == [*OLD, *NEW[:3]]
    assert spool(keys, "export", OLD[0].clip, "--out", str(tmp_path / "one"), "--json") == 0
    assert said(capsys)["parts"] == 4
    (tmp_path / "file").write_text("")
    assert spool(keys, "export", "ALL", "--out", str(tmp_path / "file")) == 1
    assert "name another with --out" in capsys.readouterr().err


def test_purge_deletes_what_is_named_and_says_so_in_the_drop_report(
    keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool(keys, "purge", "--all") == 2
    assert "add --yes" in capsys.readouterr().err
    assert spool(keys, "purge", "--older-than", "30d") == 0
    assert capsys.readouterr().out == "1 clip with 4 parts deleted, and named as dropped\n"
    assert spool(keys, "purge", "--clip", OLD[0].clip) == 1
    assert "no part of the clip" in capsys.readouterr().err
    assert spool(keys, "purge", "--all", "--yes", "--json") == 0
    assert said(capsys)["purged"] == [NEW[0].clip]
    assert spool(keys, "list", "--json") == 0
    listed = said(capsys)
    assert listed["clips"] == []
    assert [(drop["clip"], drop["parts"], drop["why"]) for drop in listed["dropped"]] == [
        (OLD[0].clip, 4, "purged"),
        (NEW[0].clip, 3, "purged"),
    ]
    with pytest.raises(SystemExit):
        spool(keys, "purge", "--older-than", "7 days")


def test_without_a_spool_it_is_one_sentence_and_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spool", "list", "--state", str(tmp_path)]) == 1
    assert "there is no spool" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def broker() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.url


def test_drain_delivers_what_waits(keys: Keys, broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    diary = Diary()
    store = ClipStore(keys.folder / "cloud")
    with FarEnd(Cloud(store, Counter()), broker, keys.far_end, on_event=diary):
        diary.wait("connected")
        assert spool(keys, "drain", "--broker", broker, "--timeout", str(DEADLINE_S)) == 0
    assert capsys.readouterr().out == "7 parts delivered, 0 wait\n"
    np.testing.assert_array_equal(store.audio(OLD[0].clip), SAMPLES)
    store.close()


def test_drain_without_a_far_end_gives_up_in_time_and_keeps_everything(
    keys: Keys, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool(keys, "drain", "--broker", broker, "--timeout", "0.1", "--json") == 1
    assert said(capsys) == {"device": "dot", "delivered": 0, "waiting": 7, "told": []}


def test_beside_a_running_device_all_but_drain_may_be_done(
    keys: Keys, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Spool(keys.folder / "dot" / "spool.sqlite")
    with Sender("dot", running, broker, seal=keys.device, on_directive=print, on_fact=Diary()) as sender:
        assert spool(keys, "drain", "--broker", broker) == 1
        assert "the device dot runs, and delivers what waits by itself" in capsys.readouterr().err
        assert spool(keys, "list") == 0
        assert "its device runs, so this changes as you read" in capsys.readouterr().out
        assert spool(keys, "purge", "--all", "--yes") == 0
        sender.submit(replace(NEW[3], clip=f"{NEW[3].clip[:-1]}9"))
        assert spool(keys, "list", "--json") == 0
    running.close()
    capsys.readouterr()
    assert spool(keys, "list", "--json") == 0
    assert [clip["clip"] for clip in said(capsys)["clips"]] == [f"{NEW[3].clip[:-1]}9"]


def test_tail_shows_what_passes_and_nothing_of_what_is_sealed(keys: Keys, broker: str) -> None:
    command = [sys.executable, "-m", "sim.main", "uplink", "tail", "--broker", broker]
    store = ClipStore(keys.folder / "cloud")
    diary = Diary()
    with subprocess.Popen([*command, "--count", "12"], stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline() == "connected\n"
        with FarEnd(Cloud(store, Counter()), broker, keys.far_end, on_event=diary):
            diary.wait("connected")
            assert spool(keys, "drain", "--broker", broker) == 0
        lines = tail.stdout.read().splitlines()
        assert tail.wait(DEADLINE_S) == 0
    assert len(lines) == 12
    kinds = {each.split()[1] for each in lines}
    assert kinds >= {"status", "inquiry", "inventory", "part", "receipt"}
    assert any(f"{OLD[0].clip} part 3, the last, sealed to " in each for each in lines)
    assert "wakeword" not in "".join(lines)
    store.close()


def test_tail_survives_what_is_no_message() -> None:
    for topic, payload in (
        ("misheard/v1/x", b""),
        ("misheard/v1/dot/part", b"\xff"),
        ("misheard/v1/dot/part", b"[]\n"),
    ):
        facts = describe(topic, payload)
        assert "header" not in facts
        assert str(len(payload)) in str(line(facts))
    hostile = describe("misheard/v1/dot/part", b'{"clip":"\\u001b[2J","number":{},"key":[]}\n')
    assert "\x1b" not in str(line(hostile))


def metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (each.rsplit(" ", 1) for each in lines if not each.startswith("#"))}


def test_metrics_tell_the_queue_and_what_was_done(keys: Keys, broker: str) -> None:
    diary, told = Diary(), Diary()
    store = ClipStore(keys.folder / "cloud")
    running = Spool(keys.folder / "dot" / "spool.sqlite")
    running.drop(OLD[0].clip, "purged")
    sender = Sender("dot", running, broker, seal=keys.device, on_directive=lambda _: None, on_fact=told)
    with Metrics(sender.figures, 0) as shown:
        before = metrics(shown.url)
        assert before["misheard_uplink_waiting_parts"] == 3
        assert before["misheard_uplink_connected"] == 0
        assert before['misheard_spool_dropped_parts_total{why="purged"}'] == 4
        with FarEnd(Cloud(store, Counter()), broker, keys.far_end, on_event=diary):
            diary.wait("connected")
            sender.start(strict=True)
            sender.submit(NEW[3])
            assert sender.drain(DEADLINE_S)
            after = metrics(shown.url)
        sender.close()
        port = int(shown.url.split(":")[2].split("/")[0])
        with pytest.raises(LinkError, match="name another port"):
            Metrics(sender.figures, port)
    assert after["misheard_uplink_waiting_parts"] == after["misheard_uplink_waiting_bytes"] == 0
    assert after["misheard_uplink_connected"] == 1
    assert after["misheard_uplink_sent_parts_total"] == after["misheard_uplink_receipts_total"] == 4
    assert after["misheard_uplink_round_trip_seconds_count"] == 4
    assert after['misheard_uplink_round_trip_seconds_bucket{le="+Inf"}'] == 4
    assert after["misheard_uplink_round_trip_seconds_sum"] > 0
    running.close()
    store.close()


def test_a_device_shows_its_metrics_where_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "sim.main", "device", "--source", "-", "--state", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--metrics", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as device:
        assert device.stdin is not None
        assert device.stdout is not None
        while b"listening to" not in (text := device.stdout.readline()):
            assert text
        device.stdin.write(bytes(64_000))
        device.stdin.flush()
        while b"connected" not in (text := device.stdout.readline()):
            assert text
        assert metrics(f"http://127.0.0.1:{port}/metrics")["misheard_uplink_waiting_parts"] == 0
        _, errors = device.communicate(timeout=DEADLINE_S)
    assert (device.returncode, errors) == (0, b"")
