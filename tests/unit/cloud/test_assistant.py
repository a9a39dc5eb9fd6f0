"""A far end that thinks, from parts to directives: a real store, the real dialog, ears that hear what is written."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud import assistant
from sim.cloud.answer import Answer, Directed, Fact
from sim.cloud.assistant import Assistant, Household
from sim.cloud.contacts import Contact
from sim.cloud.recognizer import Listening
from sim.cloud.service import Cloud
from sim.cloud.settings import CloudSettings, load_cloud
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.cloud.verifier import Opening, Verdict
from uplink.message import JSON, Part
from wakeword.sound import RATE, decode_flac, encode_flac

WHO = Household((Contact("Frank"), Contact("Linda")))
STREAM = "dot-20180524t183000000000"


class Ears:
    """Hears these texts, one a clip."""

    name = "written"

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)

    def listen(self) -> Listening:
        return _Open(self)

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        texts = self._texts.pop(0).split()
        assert len(samples) >= 2 * RATE
        places = range(20_000, 32_000, 12_000 // max(1, len(texts)))  # behind the word that woke the device
        words = (Word(text, at, at + 1000, 0.9) for text, at in zip(texts, places, strict=False))
        return Transcript.of(tuple(words), self.name)


class _Open:
    def __init__(self, ears: Ears) -> None:
        self._ears, self._sound = ears, [np.zeros(0, np.int16)]

    def push(self, samples: NDArray[np.int16]) -> None:
        self._sound.append(samples)

    def finish(self) -> Transcript:
        return self._ears.transcribe(np.concatenate(self._sound))

    def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path / "store")
    yield store
    store.close()


def parts(begin_s: int, seconds: int = 2, device: str = "dot", **facts: JSON) -> list[Part]:
    """A clip that begins at a second of the stream, in parts of a second; by a wake word unless told otherwise."""
    begin = begin_s * RATE
    stream = STREAM.replace("dot", device, 1)
    clip = f"{stream}-{begin:012d}"
    opening: dict[str, JSON] = {"stream": stream, "utc": "2018-05-24T18:30:00Z", "initiator": "wakeword", **facts}
    if opening["initiator"] == "wakeword":
        opening |= {"word": "alexa", "word_begin": begin + 8000, "word_end": begin + 17_200}
        opening = {"voice_dbfs": -30.0, "ambient_dbfs": -60.0, **opening}
    made = []
    for number in range(seconds):
        at = begin + number * RATE
        sound = (np.arange(RATE) * (7 + number) % 3001).astype(np.int16)
        last = number == seconds - 1
        about = opening if number == 0 else {}
        made.append(Part(device, clip, number, last, at, at + RATE, about, encode_flac(sound)))
    return made


def hear(cloud: Cloud, clip: Sequence[Part]) -> tuple[Answer, list[Directed | Fact]]:
    """Give it a whole clip; gives the answer, and what was decided on the way."""
    decided = [came for part in clip for came in cloud.receive(part) if isinstance(came, Directed | Fact)]
    return cloud.answer(clip[0].clip), decided


def names(answer: Answer) -> list[str]:
    return [each.directive.name for each in answer.directives]


def fact(answer: Answer, kind: str) -> Fact:
    (found,) = [each for each in answer.facts if each.kind == kind]
    return found


def reply(to: Sequence[Part], begin_s: int) -> list[Part]:
    return parts(begin_s, initiator="expect_speech", answers=to[0].clip)


def test_the_four_steps_of_may_2018_end_in_the_outbox(store: ClipStore) -> None:
    ears = Ears(
        "so i sent a message to them", "frank had his floors done", "right he went with oak", "it was not cheap"
    )
    cloud = Cloud(store, ears, Assistant(store, load_cloud("2018"), WHO))
    first = parts(10)
    answer, _ = hear(cloud, first)
    assert names(answer) == ["Speak", "ExpectSpeech"]
    speak = answer.directives[0].directive
    assert speak.facts["text"] == "To whom?"
    assert speak.facts["due"] == first[-1].end + 600 * 16
    assert len(decode_flac(base64.b64decode(str(speak.facts["audio"])))) > RATE // 4, "in its shipped voice"
    second = reply(first, 20)
    answer, _ = hear(cloud, second)
    assert fact(answer, "contact").facts["name"] == "Frank"
    assert "Frank" in str(answer.directives[0].directive.facts["text"])
    third = reply(second, 30)
    answer, _ = hear(cloud, third)
    assert fact(answer, "confirmation").facts["answer"] == "yes"
    assert names(answer) == ["ExpectSpeech"], "what comes next is recorded, and nobody is told"
    fourth = reply(third, 40)
    answer, _ = hear(cloud, fourth)
    message = fact(answer, "message").facts
    assert (message["to"], message["audio_s"], message["text"]) == ("Frank", 2.0, "it was not cheap")
    assert names(answer) == ["TurnEnd"]
    (sent,) = store.outbox.all()
    assert sent.message.to == "Frank"
    np.testing.assert_array_equal(store.outbox.sound(sent.message.id), store.audio(fourth[0].clip))


def test_where_a_dialog_stands_outlasts_the_program(store: ClipStore, tmp_path: Path) -> None:
    first = parts(10)
    hear(Cloud(store, Ears("send a message"), Assistant(store, load_cloud("2018"), WHO)), first)
    other = ClipStore(tmp_path / "store")
    answer, _ = hear(Cloud(other, Ears("linda"), Assistant(other, load_cloud("2018"), WHO)), reply(first, 20))
    assert fact(answer, "contact").facts["name"] == "Linda"
    other.close()


def test_of_two_devices_the_louder_one_is_answered(store: ClipStore) -> None:
    cloud = Cloud(store, Ears("what time is it", "what time is it"), Assistant(store, load_cloud("2018"), WHO))
    far, near = parts(10, device="far", voice_dbfs=-40.0), parts(10, device="near", voice_dbfs=-28.0)
    cloud.receive(far[0])
    decided = [each for each in cloud.receive(near[0]) if isinstance(each, Directed | Fact)]
    stops = [each for each in decided if isinstance(each, Directed)]
    assert [(each.device, each.directive.name, each.directive.clip) for each in stops] == [
        ("far", "StopCapture", far[0].clip)
    ]
    assert {str(each.facts["winner"]) for each in decided if isinstance(each, Fact)} == {"near"}
    for part in (far[1], near[1]):
        cloud.receive(part)
    assert names(cloud.answer(far[0].clip)) == ["TurnEnd"]
    assert names(cloud.answer(near[0].clip)) == ["Speak", "TurnEnd"]


def test_what_is_deleted_by_voice_is_gone(store: ClipStore) -> None:
    ears = Ears("what time is it", "delete what i just said")
    cloud = Cloud(store, ears, Assistant(store, load_cloud("strict", [("verifier.method", "none")]), WHO))
    first, asked = parts(10), parts(20)
    hear(cloud, first)
    answer, _ = hear(cloud, asked)
    assert fact(answer, "deleted").facts["clips"] == [first[0].clip, asked[0].clip]
    assert [each.directive.name for each in answer.directives[:2]] == ["DeleteClip", "DeleteClip"]
    assert store.clips() == []


class Verdicts:
    """Comes to this at each second look, and remembers the openings; `free` lets it."""

    def __init__(self, passed: bool) -> None:
        self.verdict = Verdict(passed, "recognizer", 0.9 if passed else 0.1, 0.5)
        self.openings: list[Opening] = []
        self.free = Event()
        self.free.set()

    def look(self, opening: Opening) -> Verdict:
        assert self.free.wait(20)
        self.openings.append(opening)
        return self.verdict


def settings_with_a_look() -> CloudSettings:
    return load_cloud("2018", [("verifier.method", "recognizer"), ("verifier.decide_ms", "1500")])


@pytest.mark.parametrize("passed", [True, False])
def test_a_false_wake_is_stopped_and_not_answered(
    passed: bool, store: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = Verdicts(passed)
    monkeypatch.setattr(assistant, "load_verifier", lambda _settings: verdicts)
    cloud = Cloud(store, Ears("send a message"), Assistant(store, settings_with_a_look(), WHO))
    clip = parts(10, 3)
    answer, decided = hear(cloud, clip)
    assert [each.kind for each in decided if isinstance(each, Fact)] == ["verified"]
    assert (verdicts.openings[0].word_begin, verdicts.openings[0].word_end) == (8000, 17_200)
    stops = [each.directive for each in decided if isinstance(each, Directed)]
    if passed:
        assert stops == []
        assert names(answer) == ["Speak", "ExpectSpeech"]
    else:
        (stop,) = stops
        assert (stop.name, stop.clip) == ("StopCapture", clip[0].clip)
        assert stop.facts["due"] == clip[0].begin + 17_200 + 1500 * 16
        assert names(answer) == ["TurnEnd"]
        assert [each.kind for each in answer.facts] == ["transcript"]
    assert len(verdicts.openings) == 1, "once is enough"


def test_beside_a_live_device_a_look_holds_up_nothing_and_is_told_later(store: ClipStore) -> None:
    verdicts, later, came = Verdicts(False), list[Directed | Fact](), Event()
    verdicts.free.clear()
    live = Assistant(store, settings_with_a_look(), WHO, looker=verdicts)
    cloud = Cloud(store, Ears("send a message"), live)

    def take(decided: list[Directed | Fact]) -> None:
        later.extend(decided)
        came.set()

    cloud.decide_later(take)
    clip = parts(10, 3)
    assert [each for part in clip for each in cloud.receive(part) if isinstance(each, Directed | Fact)] == []
    verdicts.free.set()
    assert came.wait(20)
    assert [each.kind for each in later if isinstance(each, Fact)] == ["verified"]
    assert [each.directive.name for each in later if isinstance(each, Directed)] == ["StopCapture"]
    assert names(cloud.answer(clip[0].clip)) == ["TurnEnd"]
    live.close()


def test_a_clip_whose_parts_came_to_others_is_looked_at_in_the_end(
    store: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = Verdicts(False)
    monkeypatch.setattr(assistant, "load_verifier", lambda _settings: verdicts)
    clip = parts(10, 3)
    for part in clip:
        Cloud(store, Ears()).receive(part)
    cloud = Cloud(store, Ears("send a message"), Assistant(store, settings_with_a_look(), WHO))
    assert names(cloud.answer(clip[0].clip)) == ["TurnEnd"]
    assert (verdicts.openings[0].word_begin, verdicts.openings[0].word_end) == (8000, 17_200)
