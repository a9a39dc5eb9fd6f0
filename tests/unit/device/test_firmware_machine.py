"""The firmware under every order of sound, losses and directives: hypothesis walks, a watch checks each event.

The watch knows the states' names and the words of the design, not the firmware's code.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from device.audio import Block
from device.config import DeviceSettings, samples
from device.events import Event
from device.firmware import Firmware
from device.mute import Hand
from device.states import LIGHTS, TRANSITIONS, Cause, State
from tests.firmware_kit import STREAM, FakeScorers, FakeVoice, settings_of, sound_of
from uplink.message import JSON, Directive
from wakeword.frames import HOP
from wakeword.sound import encode_flac
from wakeword.span import word_span

_PROMPTS = {
    length: base64.b64encode(encode_flac(np.full(length, 7, np.int16))).decode() for length in (1, 3000, 40_000)
}
_HANDS = ["far_end", "home", "button"]
_LEGAL = {
    "StopCapture": {State.RECOGNIZING},
    "ExpectSpeech": {State.IDLE, State.BUSY, State.SPEAKING},
    "Speak": set(State) - {State.RECOGNIZING},
    "TurnEnd": {State.BUSY, State.SPEAKING, State.EXPECTING_SPEECH},
}


@dataclass
class Clip:
    """A capture as the watch has seen it so far."""

    name: str
    begin: int
    next: int
    number: int = 0
    ended: bool = False


class Watch:
    """Follows the events of one firmware and knows what must be true of them."""

    def __init__(self, device: DeviceSettings) -> None:
        self.device = device
        self.sound = np.zeros(0, np.int16)  # what was heard; zeros where sound was lost
        self.wiped_to = 0  # nothing before it may be sent any more
        self.state, self.light, self.muted = State.IDLE, "off", False
        self.near = -1  # of the hand that holds the microphone off
        self.awaits = True
        self.turn: str | None = None
        self.turns: list[str] = []
        self.sample = 0
        self.deadline = samples(device.deadlines.heartbeat_ms)
        self.gap_begin = self.gap_end = 0  # of the newest loss that is too long to be filled
        self.expect_ms: int | None = None  # what the far end asked for while a prompt plays
        self.prompt = False
        self.clip: Clip | None = None
        self.word: tuple[int, int] | None = None
        self.content = True  # with everything so far
        self.last_begin = -1
        self.opened = 0

    def follow(self, events: list[Event]) -> None:
        self.content = False
        for event in events:
            assert event.sample >= self.sample, "time goes back"
            self.sample = event.sample
            assert event.sample <= len(self.sound), "an event of the future"
            handler = getattr(self, f"on_{event.kind}", None)
            if handler is not None:
                handler(event, **event.facts)
        self.content = True

    def late(self, sample: int) -> bool:
        """Whether the state should be over by now: at the end of a hop, or of a long gap."""
        return sample > max(self.deadline + HOP, self.gap_end)

    def on_state(self, event: Event, **facts: Any) -> None:
        before, after, cause = State(facts["from"]), State(facts["to"]), Cause(facts["cause"])
        assert before is self.state
        assert TRANSITIONS[before, cause] is after
        assert not self.late(event.sample)
        if cause is Cause.TIMEOUT:
            assert event.sample >= self.deadline
        assert not self.prompt, "a prompt ends before what comes after it"
        self.state, self.turn = after, facts["turn"]
        deadlines = self.device.deadlines
        match after:
            case State.IDLE:
                assert self.turn is None
                self.deadline = event.sample + samples(deadlines.heartbeat_ms)
            case State.BUSY:
                self.deadline = event.sample + samples(deadlines.thinking_ms)
            case State.EXPECTING_SPEECH:
                assert not self.muted
                assert self.expect_ms is not None, "it opened the microphone unasked"
                self.deadline, self.expect_ms = event.sample + samples(self.expect_ms), None
                self.opened = event.sample
            case State.SPEAKING:
                self.deadline = event.sample  # the prompt says how much later
        if after in (State.IDLE, State.RECOGNIZING):
            self.expect_ms = None

    def on_heartbeat(self, event: Event, **_: Any) -> None:
        assert self.state is State.IDLE
        assert event.sample >= self.deadline
        assert not self.late(event.sample)
        self.deadline = event.sample + samples(self.device.deadlines.heartbeat_ms)

    def on_light(self, _: Event, light: str) -> None:
        assert light != self.light, "a light that does not change is no event"
        self.light = light

    def on_hop(self, event: Event, **_: Any) -> None:
        assert not self.muted
        assert event.sample % HOP == 0
        assert event.sample - HOP >= self.wiped_to, "it scored what it should not have"

    def on_mute(self, event: Event, muted: bool, by: Hand) -> None:
        near = _HANDS.index(by)
        assert near > self.near if muted else near >= self.near >= 0, "a hand farther away than the one that holds it"
        self.near, self.muted = (near if muted else -1), muted
        self.wiped_to = event.sample
        if muted:
            assert self.clip is None
            self.expect_ms = None

    def on_audio_lost(self, event: Event, **facts: Any) -> None:
        assert event.sample + facts["samples"] == facts["end"]
        if facts["samples"] > samples(self.device.audio.gap_fill_ms):
            self.gap_begin, self.gap_end = event.sample, facts["end"]
            self.wiped_to = self.gap_end

    def on_prompt(self, event: Event, **facts: Any) -> None:
        assert self.state is State.SPEAKING
        assert event.audio is not None
        assert len(event.audio) == facts["samples"] <= samples(self.device.deadlines.prompt_ms)
        self.deadline += facts["samples"]
        self.prompt = True

    def on_prompt_end(self, event: Event, heard_whole: bool) -> None:
        assert self.prompt, "a prompt ends once"
        self.prompt = False
        assert heard_whole == (event.sample >= self.deadline) or not heard_whole

    def on_wake(self, event: Event, **facts: Any) -> None:
        assert not self.muted
        assert self.awaits
        assert (self.state, Cause.WAKE) in TRANSITIONS
        self.word = word_span(facts["word"], event.sample)
        told = (facts.get("word_begin"), facts.get("word_end"))
        assert told in (self.word, (None, None))
        whole = self.word[0] - samples(self.device.capture.pre_roll_ms)
        free = max(self.wiped_to, event.sample - samples(self.device.audio.ring_ms), self.last_begin + 1)
        assert (told == self.word) == (whole >= free), "indices are for a word with all of its pre-roll"
        self.begin = max(whole, free)

    def on_wake_refused(self, _: Event, state: str, **__: Any) -> None:
        assert state == self.state
        assert (self.state, Cause.WAKE) not in TRANSITIONS or not self.awaits

    def on_capture_begin(self, event: Event, clip: str, begin: int, initiator: str) -> None:
        assert not self.muted
        assert self.clip is None
        assert self.state is State.RECOGNIZING
        assert clip == self.turn == STREAM.clip(begin)
        assert clip not in self.turns
        self.turns.append(clip)
        assert self.last_begin < begin < event.sample
        assert begin >= self.wiped_to, "what was wiped has come out"
        if initiator == "wakeword":
            assert begin == self.begin
        else:
            assert begin >= self.opened
        self.last_begin = begin
        self.clip = Clip(clip, begin, begin)
        self.deadline = begin + samples(self.device.capture.limit_ms)

    def on_part(self, event: Event, **facts: Any) -> None:
        clip = self.clip
        assert clip is not None
        assert not clip.ended
        assert (facts["clip"], facts["number"], facts["begin"]) == (clip.name, clip.number, clip.next)
        begin, end = facts["begin"], facts["end"]
        assert 0 < end - begin <= samples(self.device.capture.part_ms)
        assert event.audio is not None
        np.testing.assert_array_equal(event.audio, self.sound[begin:end])
        assert end <= self.gap_begin or begin >= self.gap_end, "a clip goes on over a long gap"
        assert ("initiator" in facts["facts"]) == (clip.number == 0)
        assert ("reason" in facts["facts"]) == facts["last"]
        clip.next, clip.number, clip.ended = end, clip.number + 1, facts["last"]

    def on_capture_end(self, event: Event, **facts: Any) -> None:
        clip = self.clip
        assert clip is not None
        assert clip.ended
        assert (facts["clip"], facts["begin"], facts["parts"]) == (clip.name, clip.begin, clip.number)
        assert facts["end"] == clip.next == event.sample
        length, limit = clip.next - clip.begin, samples(self.device.capture.limit_ms)
        assert length < limit + HOP
        assert facts["reason"] != "limit" or length >= limit
        self.clip = None

    def settled(self) -> None:
        """What must be true between two blocks."""
        assert not self.late(len(self.sound) + (len(self.sound) != self.gap_end)), f"stuck in {self.state}"
        assert self.light == ("muted" if self.muted else LIGHTS[self.state])
        assert (self.clip is not None) == (self.state is State.RECOGNIZING)
        assert self.prompt == (self.state is State.SPEAKING)
        assert not (self.muted and self.state in (State.RECOGNIZING, State.EXPECTING_SPEECH))


class FirmwareWalk(RuleBasedStateMachine):
    """Whatever happens around it, in whatever order."""

    @initialize(
        capture=st.fixed_dictionaries(
            {
                "pre_roll_ms": st.sampled_from([0, 37, 500, 2500]),
                "part_ms": st.sampled_from([80, 333, 1000]),
                "silence_ms": st.sampled_from([160, 800]),
                "first_speech_ms": st.sampled_from([160, 1000]),
                "limit_ms": st.sampled_from([4000, 5001, 10_000]),
            }
        ),
        refractory_ms=st.sampled_from([0, 2000]),
        patience_hops=st.sampled_from([1, 1, 2]),
        deadlines=st.fixed_dictionaries(
            {
                "heartbeat_ms": st.sampled_from([1000, 20_000]),
                "thinking_ms": st.sampled_from([80, 1003, 5000, 20_000]),
                "expecting_ms": st.sampled_from([80, 2000, 8000]),
                "prompt_ms": st.sampled_from([100, 60_000, 60_000]),
            }
        ),
        gap_fill_ms=st.sampled_from([0, 100, 1000]),
    )
    def start(self, capture: Any, refractory_ms: int, patience_hops: int, deadlines: Any, gap_fill_ms: int) -> None:
        device = settings_of(
            capture=capture,
            wake={"refractory_ms": refractory_ms, "patience_hops": patience_hops},
            deadlines=deadlines,
            audio={"gap_fill_ms": gap_fill_ms, "ring_ms": 4000},
        )
        self.firmware = Firmware(device, STREAM, FakeScorers(), FakeVoice())
        self.watch = Watch(device)

    def hear(self, begin: int, sound: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        """Let both hear a block; what lies between is lost."""
        watch = self.watch
        lost = np.zeros(begin - len(watch.sound), np.int16)
        watch.sound = np.concatenate((watch.sound, lost, sound))
        watch.follow(self.firmware.hear(Block(begin, sound)))

    @rule(
        count=st.sampled_from([HOP, 2 * HOP, 3 * HOP, 5 * HOP, 12 * HOP]),
        alexa=st.sampled_from([0.0, 0.0, 0.0, 0.4, 0.9]),
        speech=st.sampled_from([0.0, 0.4, 1.0]),
    )
    def hear_hops(self, count: int, alexa: float, speech: float) -> None:
        begin = len(self.watch.sound)
        self.hear(begin, sound_of(begin, count, alexa=alexa, speech=speech))

    @rule(
        pieces=st.lists(
            st.tuples(
                st.one_of(st.sampled_from([0, 1, HOP - 1, HOP + 1, 30_000]), st.integers(0, 4000)),
                st.sampled_from([0.0, 0.0, 0.4, 0.9]),
                st.sampled_from([0.0, 0.0, 0.0, 0.9]),
                st.sampled_from([0.0, 0.4, 1.0]),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def hear_pieces(self, pieces: list[tuple[int, float, float, float]]) -> None:
        for count, alexa, computer, speech in pieces:
            begin = len(self.watch.sound)
            self.hear(begin, sound_of(begin, count, alexa=alexa, computer=computer, speech=speech))

    @rule(word=st.sampled_from(["alexa", "computer"]), rest=st.integers(0, 2 * HOP))
    def wake(self, word: str, rest: int) -> None:
        begin = len(self.watch.sound)
        quiet = sound_of(begin, 4 * HOP)
        self.hear(begin, quiet)
        begin += len(quiet)
        self.hear(begin, sound_of(begin, 2 * HOP + rest, **{word: 0.8}))

    @rule(
        seconds=st.sampled_from([1, 1, 3, 12]), lost=st.sampled_from([0, 1, 1600, 1601, HOP, 16_000, 16_001, 100_000])
    )
    def lose_some_before_a_huge_block(self, seconds: int, lost: int) -> None:
        begin = len(self.watch.sound) + lost
        self.hear(begin, sound_of(begin, seconds * 16_000 + 77))

    @rule(lost=st.integers(1, 2000), count=st.integers(0, 3000))
    def lose_some(self, lost: int, count: int) -> None:
        begin = len(self.watch.sound) + lost
        self.hear(begin, sound_of(begin, count))

    @rule(
        number=st.integers(0, 11),
        whose=st.sampled_from(["this", "this", "this", "this", "none"]),
        timeout_ms=st.sampled_from([None, 80, 1500]),
        prompt=st.sampled_from([None, *_PROMPTS]),
    )
    def obey(self, number: int, whose: str, timeout_ms: int | None, prompt: int | None) -> None:
        """A directive that fits the state."""
        fitting = [name for name, states in _LEGAL.items() if self.watch.state in states]
        facts: dict[str, dict[str, JSON]] = {
            "ExpectSpeech": {"timeout_ms": timeout_ms},
            "Speak": {"text": "Hm?", "audio": _PROMPTS.get(prompt or 0)},
        }
        name = fitting[number % len(fitting)]
        self.order(Directive(name, self.clip(whose), facts.get(name) or {}), malformed=False)

    @rule(
        name=st.sampled_from(["StopCapture", "ExpectSpeech", "Speak", "TurnEnd", "SetMute", "DeleteClip"]),
        whose=st.sampled_from(["this", "none", "stale", "other"]),
        malformed=st.booleans(),
        bad=st.sampled_from([True, 79, 3_600_001, 1.5, "2000", [], {}]),
    )
    def refuse(self, name: str, whose: str, malformed: bool, bad: Any) -> None:
        """A directive that mostly does not."""
        malformed = malformed or name == "SetMute"  # the sound ones have a rule of their own
        facts: dict[str, Any] = {
            "ExpectSpeech": {"timeout_ms": bad if malformed else None},
            "Speak": {"audio": str(bad) if malformed else None},
            "SetMute": {"muted": "yes"},
        }
        self.order(Directive(name, self.clip(whose), facts.get(name, {})), malformed)

    def clip(self, whose: str) -> str | None:
        watch = self.watch
        if whose == "stale":
            return next((clip for clip in watch.turns if clip != watch.turn), None)
        return {"this": watch.turn, "none": None, "other": "dot-elsewhere"}[whose]

    def order(self, directive: Directive, malformed: bool) -> None:
        watch, name = self.watch, directive.name
        legal = name == "DeleteClip" or (
            directive.clip in (None, watch.turn) and watch.state in _LEGAL.get(name, set(State))
        )
        legal = legal and not (malformed and name in ("ExpectSpeech", "Speak", "SetMute"))
        legal = legal and not (name == "ExpectSpeech" and watch.muted)
        legal = legal and not (name == "DeleteClip" and directive.clip is None)
        before, sound = self.snapshot(), len(watch.sound)
        events = self.firmware.obey(directive)
        assert [event.kind for event in events].count("directive_refused") == (not legal)
        if not legal:
            assert len(events) == 1
            assert events[0].facts["why"]
            assert self.snapshot() == before
        elif name == "ExpectSpeech":
            asked = directive.facts["timeout_ms"]
            watch.expect_ms = watch.device.deadlines.expecting_ms if asked is None else asked  # type: ignore[assignment]
        elif name == "TurnEnd":
            watch.expect_ms = None
        watch.follow(events)
        assert len(watch.sound) == sound == self.firmware.clock

    def snapshot(self) -> dict[str, Any]:
        """All that the firmware holds, but the events that it is about to give."""
        return {name: value for name, value in vars(self.firmware).items() if name != "_events"}

    @rule(
        muted=st.sampled_from([True, False, False, None]),
        by=st.sampled_from(Hand),
        whose=st.sampled_from(["none", "this"]),
    )
    def mute(self, muted: bool | None, by: Hand, whose: str) -> None:
        watch, was, near = self.watch, self.watch.muted, self.watch.near
        if by is Hand.FAR_END and muted is not None:
            events = self.firmware.obey(Directive("SetMute", self.clip(whose), {"muted": muted}))
        else:
            events = self.firmware.switch(muted, by)
        watch.follow(events)
        wanted = muted or (muted is None and not was)
        if not wanted and _HANDS.index(by) < near:
            assert [event.kind for event in events] == ["directive_refused"]
            assert watch.muted
            return
        assert watch.muted == wanted
        if wanted == was:
            assert len(events) == int(wanted and _HANDS.index(by) > near), "a nearer hand takes over, and no more"
        elif wanted:
            ear, voice = self.firmware._ear, self.firmware._voice
            assert not ear.ring._samples.any(), "sound is left in the ring"
            assert isinstance(ear.scorers, FakeScorers)
            assert isinstance(voice, FakeVoice)
            assert ear.scorers.memory == []
            assert voice.memory == []

    @rule(awaits=st.sampled_from([True, True, False]))
    def await_word(self, awaits: bool) -> None:
        self.firmware.await_word(awaits)
        self.watch.awaits = awaits

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "watch"):
            assert self.firmware.clock == len(self.watch.sound)
            assert (self.firmware.state, self.firmware.muted) == (self.watch.state, self.watch.muted)
            self.watch.settled()
            if self.watch.muted:
                assert not self.firmware._ear.ring._samples.any()

    def teardown(self) -> None:
        if hasattr(self, "watch") and self.watch.content:
            self.watch.follow(self.firmware.finish())
            assert self.watch.clip is None


FirmwareWalk.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestFirmwareWalk = FirmwareWalk.TestCase
