"""The loop of a play: real firmware between fakes, a home that is a list of sounds, a far end of ready answers."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from device.events import Event, Stream
from device.firmware import Firmware
from sim.cloud.answer import Directed, Fact
from sim.home.truth import Happening
from sim.play.evening import LAST_S, Evening
from sim.play.speaker import Speaker
from sim.play.wire import Reply
from tests.firmware_kit import STREAM, FakeScorers, FakeVoice, Sound, kinds, number, settings_of, sound_of
from uplink.message import Directive, Part
from wakeword.frames import HOP
from wakeword.sound import RATE, encode_flac


class Sounds:
    """A home in which this is heard, then nothing."""

    def __init__(self, **heard: Sequence[tuple[int, float, float]]) -> None:
        self.clock = 0
        self.played: list[tuple[int, str, str]] = []
        self.stopped: list[tuple[int, str]] = []
        self.told: list[Happening] = []
        self._heard = {
            name.replace("_", "-"): [(a, s) for n, a, s in each for _ in range(n)] for name, each in heard.items()
        }

    @property
    def over(self) -> bool:
        return self.clock >= HOP * max(map(len, self._heard.values()))

    def advance(self, samples: int) -> Mapping[str, Sound]:
        hop, begin = self.clock // HOP, self.clock
        self.clock += samples
        marks = {name: each[hop] if hop < len(each) else (0.0, 0.0) for name, each in self._heard.items()}
        return {name: sound_of(begin, samples, alexa=alexa, speech=speech) for name, (alexa, speech) in marks.items()}

    def play(self, device: str, sound: Sound, text: str) -> None:
        assert sound.dtype == np.int16
        self.played.append((self.clock, device, text))

    def stop(self, device: str) -> None:
        self.stopped.append((self.clock, device))

    def happenings(self) -> Iterable[Happening]:
        told, self.told = self.told, []
        return told


class Answers:
    """A far end that answers the n-th part as it was told to, and has receipts."""

    name = "script"

    def __init__(self, *answers: Sequence[Reply]) -> None:
        self._answers = list(answers)
        self.parts: list[Part] = []
        self.noted: list[tuple[str, str]] = []

    def send(self, part: Part) -> list[Reply]:
        self.parts.append(part)
        receipt = Fact("receipt", {"clip": part.clip, "number": part.number, "complete": part.last})
        return [receipt, *(self._answers.pop(0) if self._answers else [])]

    def note(self, device: str, event: Event) -> None:
        self.noted.append((device, event.kind))

    def close(self) -> None:
        pass


def speaker(name: str, events: list[Event]) -> Speaker:
    settings = settings_of().model_copy(update={"name": name})
    return Speaker(Firmware(settings, Stream(name, STREAM.utc), FakeScorers(), FakeVoice()), [events.append])


def directive(name: str, device: str = "dot", **facts: object) -> Directed:
    return Directed(device, Directive(name, None, facts))  # type: ignore[arg-type]


LONG = base64.b64encode(encode_flac(np.full(40 * HOP, 5, np.int16))).decode()
WAKE_AND_SPEAK = ((30, 0.0, 0.0), (1, 0.9, 0.0), (20, 0.0, 1.0), (30, 0.0, 0.0))


def test_a_prompt_goes_into_the_room_at_the_sample_at_which_it_is_due() -> None:
    home, events = Sounds(dot=WAKE_AND_SPEAK), list[Event]()
    far_end = Answers([], [], [directive("Speak", text="To whom?", due=70 * HOP - 5)])
    Evening(home, {"dot": speaker("dot", events)}, far_end).play()
    assert home.played == [(70 * HOP, "dot", "To whom?")]
    (prompt,) = kinds(events, "prompt")
    assert prompt.sample == 70 * HOP


def test_an_order_without_a_time_is_obeyed_before_the_next_hop() -> None:
    home, events = Sounds(dot=WAKE_AND_SPEAK), list[Event]()
    Evening(home, {"dot": speaker("dot", events)}, Answers([], [directive("StopCapture")])).play()
    (end,) = kinds(events, "capture_end")
    assert end.facts["reason"] == "stop_capture"
    second = kinds(events, "part")[1]
    assert end.sample == second.sample


def test_a_prompt_that_is_broken_off_stops_in_the_room() -> None:
    words = (*WAKE_AND_SPEAK, (1, 0.9, 0.0), (10, 0.0, 0.0))
    home, events = Sounds(dot=words), list[Event]()
    sound = [directive("Speak", text="A long answer", due=70 * HOP, audio=LONG)]
    Evening(home, {"dot": speaker("dot", events)}, Answers([], [], sound)).play()
    assert home.stopped == [(82 * HOP, "dot")]


def test_what_one_device_sends_may_order_another() -> None:
    home, events, others = Sounds(dot=WAKE_AND_SPEAK, far=WAKE_AND_SPEAK), list[Event](), list[Event]()
    far_end = Answers([directive("StopCapture", "far")])
    Evening(home, {"dot": speaker("dot", events), "far": speaker("far", others)}, far_end).play()
    assert [e.facts["reason"] for e in kinds(events, "capture_end")] == ["silence"]
    assert [e.facts["reason"] for e in kinds(others, "capture_end")] == ["stop_capture"]
    assert {part.device for part in far_end.parts} == {"dot", "far"}


def test_facts_are_told_after_what_led_to_them_and_receipts_with_their_part() -> None:
    home, events = Sounds(dot=WAKE_AND_SPEAK), list[Event]()
    Evening(home, {"dot": speaker("dot", events)}, Answers([], [Fact("verified", {"passed": True})])).play()
    names = [str(event.kind) for event in events if event.kind not in ("hop", "near_miss")]
    assert names.count("part") == names.count("receipt")
    assert all(names[k + 1] == "receipt" for k, name in enumerate(names) if name == "part")
    (verified,) = kinds(events, "verified")
    assert verified.sample == kinds(events, "part")[1].sample


def test_it_goes_on_until_every_turn_has_ended_but_not_for_ever() -> None:
    short = ((30, 0.0, 0.0), (1, 0.9, 0.0), (5, 0.0, 1.0))
    home, events = Sounds(dot=short), list[Event]()
    Evening(home, {"dot": speaker("dot", events)}, Answers([], [], [], [directive("TurnEnd")])).play()
    assert [e.facts["to"] for e in kinds(events, "state")] == ["RECOGNIZING", "BUSY", "IDLE"]
    assert home.clock < 36 * HOP + 10 * RATE
    late = Sounds(dot=short)
    far = 10**9
    Evening(late, {"dot": speaker("dot", [])}, Answers([], [], [], [directive("TurnEnd", due=far)])).play()
    assert late.clock <= (36 + 1) * HOP + LAST_S * RATE + HOP


def test_a_mute_button_is_pressed_at_its_sample_and_nothing_is_heard_after_it() -> None:
    home, events, heard = Sounds(dot=((60, 0.0, 0.0),)), list[Event](), list[int]()
    evening = Evening(
        home,
        {"dot": speaker("dot", events)},
        Answers(),
        [("dot", 10 * HOP, True), ("dot", 20 * HOP, False)],
        lambda _device, block: heard.append(block.begin // HOP),
    )
    evening.play()
    assert [(e.sample // HOP, e.facts["muted"]) for e in kinds(events, "mute")] == [(10, True), (20, False)]
    assert heard == [*range(10), *range(20, 60)]


def test_what_happens_in_the_home_is_told_to_every_device_before_its_hop() -> None:
    home, events, others = Sounds(dot=((5, 0.0, 0.0),), far=((5, 0.0, 0.0),)), list[Event](), list[Event]()
    home.told = [Happening(7, "said", {"who": "ann", "text": "Hm."})]
    Evening(home, {"dot": speaker("dot", events), "far": speaker("far", others)}, Answers()).play()
    for each in (events, others):
        assert (each[0].kind, each[0].sample) == ("said", 7)
        assert each[1].kind == "hop"


def test_finishing_closes_what_is_open() -> None:
    home, events = Sounds(dot=((30, 0.0, 0.0), (1, 0.9, 0.0))), list[Event]()
    device = speaker("dot", events)
    evening = Evening(home, {"dot": device}, Answers())

    class Enough(Exception):  # noqa: N818
        pass

    def wait(clock: int) -> None:
        if clock >= 40 * HOP:
            raise Enough

    try:
        evening.play(wait)
    except Enough:
        evening.finish()
    (end,) = kinds(events, "capture_end")
    assert (end.facts["reason"], number(end, "end")) == ("interrupted", 40 * HOP)
