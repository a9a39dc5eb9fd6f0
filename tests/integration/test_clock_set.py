"""A clock on the wall that is set as the device listens: clips before it keep their time, those after it are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from device.audio import Block
from device.events import Stream
from device.records import Records
from device.session import Session
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.firmware_kit import kitchen_part, settings_of
from tests.uplink_kit import Counter
from uplink.broker import EmbeddedBroker
from uplink.keyring import Keyring, introduce
from uplink.seal import Seal
from wakeword.frames import HOP
from wakeword.scorer import load_scorers
from wakeword.vad import VoiceActivity

BOOTED, RIGHT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 26, 12, tzinfo=UTC)


class Talk:
    """The same talk before and after the clock is set."""

    name = "talk"

    def blocks(self) -> Iterator[Block]:
        sound, begin = kitchen_part(), 0
        for k in range(2):
            for at in range(0, len(sound), HOP):
                yield Block(begin + at, sound[at : at + HOP])
            begin += len(sound)
            if k == 0:
                session.runtime.set_clock(RIGHT)

    def close(self) -> None:
        """Nothing is open."""


session: Session


def test_clips_after_it_have_the_right_time_at_the_far_end_and_in_the_run(tmp_path: Path) -> None:
    global session
    settings = settings_of(keep={"run_hours": 24})
    keys = Keyring.of_far_end(tmp_path / "cloud")
    introduce(Keyring.of_device(tmp_path, "dot"), keys)
    store, scorers, stream = (
        ClipStore(tmp_path / "cloud"),
        load_scorers(("alexa",), "openwakeword"),
        Stream("dot", BOOTED),
    )
    records = Records(tmp_path / "runs", settings, stream, scorers, lambda *_: None, live=False, keep_audio=False)
    with EmbeddedBroker() as broker, FarEnd(Cloud(store, Counter()), broker.url, Seal(keys), on_event=lambda *_: None):
        session = Session(
            settings, stream, Talk(), scorers, VoiceActivity(), broker.url, tmp_path, "fast", [*records.observers]
        )
        assert session.play()
    records.close()
    before, after = sorted(store.clips(), key=lambda clip: clip.id)
    assert [clip.id[:12] for clip in (before, after)] == ["dot-19700101", "dot-20261126"]
    assert session.stream.utc == RIGHT
    store.close()
    (run,) = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
    (at,) = [k for k, event in enumerate(events) if event["kind"] == "clock_set"]
    assert {event["utc"][:10] for event in events[:at]} == {"1970-01-01"}
    assert {event["utc"][:10] for event in events[at:]} == {"2026-11-26"}
    assert [event["utc"][11:16] for event in events[at:] if event["kind"] == "wake"] == ["12:00"]
