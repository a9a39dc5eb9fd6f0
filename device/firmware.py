"""The firmware: a plain state machine from samples and directives to events. It does no I/O and knows no clock.

The same code runs on a Raspberry Pi, fed by threads, and in a simulation, fed by a loop; what is measured there is
what runs here. Time is the sample clock. Everything happens at the end of a hop, so how the sound is cut into blocks
makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from device import orders
from device.audio import Block
from device.capture import Capture
from device.config import DeviceSettings, samples
from device.ear import Ear, Heard
from device.endpoint import Endpointer
from device.events import Event, Kind, Stream
from device.judges import SecondLook, Voice
from device.mute import Hand, switched
from device.states import LIGHTS, TRANSITIONS, Cause, State
from uplink.message import JSON, Directive
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup
from wakeword.sound import level_dbfs
from wakeword.span import word_span
from wakeword.trigger import Detection

_OWN_TAIL = 6 * HOP
"""The detector still scores the device's own voice so long after it ended (measured: .98 five hops later)."""
_WORD_TAIL = 3 * HOP
"""The detector hears speech a little longer than it lasts; speech within this after the wake word is the word's own."""


_VOICE_WARM_UP = 6 * HOP
"""How far back the voice detector listens when a capture begins: enough for its state, and short, since the wake waits
for it. What it says of the word itself does not count."""


class Firmware:
    """One device on one stream. One owner: neither method may run while another does.

    `second_looks`: by wake word; what does not pass one is a near miss and not a wake. `prompt_delay`: samples by which
    a prompt ends later than it is long, for a loudspeaker takes its time.
    """

    def __init__(
        self,
        settings: DeviceSettings,
        stream: Stream,
        scorers: ScorerGroup,
        voice: Voice,
        second_looks: Mapping[str, SecondLook] = MappingProxyType({}),
        prompt_delay: int = 0,
    ) -> None:
        self.settings, self.stream = settings, stream
        self._second_looks, self._prompt_delay = second_looks, prompt_delay
        self.state = State.IDLE
        self._muted_by: Hand | None = None
        self._awaits_word = True
        self._ear = Ear(settings.wake, settings.audio.ring_ms, scorers)
        self._voice = voice
        self._events: list[Event] = []
        self._capture: Capture | None = None
        self._endpointer: Endpointer | None = None
        self._turn: str | None = None
        self._expect_ms: int | None = None
        self._open_from = 0
        self._next_clip = 0  # a clip is named by its begin, so no two begin at one sample
        self._light = LIGHTS[self.state]
        self._counts: dict[str, int] = {"hops": 0, "wakes": 0, "near_misses": 0, "lost": 0}
        self._deadline = samples(settings.deadlines.heartbeat_ms)

    @property
    def clock(self) -> int:
        """Index of the next sample."""
        return self._ear.clock

    @property
    def muted(self) -> bool:
        """Whether the microphone is off."""
        return self._muted_by is not None

    # What goes in.

    def hear(self, block: Block) -> list[Event]:
        """Take the next block of the stream; legal in every state.

        A block that begins later than the one before ended tells a loss: short ones are filled with zeros, longer
        ones end the capture and start the listening anew. Raises ValueError for a block that goes back in time.
        """
        if block.begin < self.clock:
            raise ValueError(f"the block at sample {block.begin} lies before the clock, {self.clock}")
        if block.begin > self.clock:
            self._lose(block.begin, block.why or "unknown")
        self._listen(block.samples)
        return self._given()

    def obey(self, directive: Directive) -> list[Event]:
        """Do what the far end says, at once; legal in every state.

        What does not fit the state or the turn is refused, as an event, and changes nothing.
        """
        try:
            self._follow(orders.check(directive, self.state, self._turn, self.muted))
        except orders.Refused as refused:
            facts: dict[str, JSON] = {"name": directive.name, "clip": directive.clip, "why": str(refused)}
            self._tell(Kind.DIRECTIVE_REFUSED, {**facts, "state": self.state})
        return self._given()

    def switch(self, muted: bool | None, by: Hand) -> list[Event]:
        """Switch the microphone off or on by a hand in the home, None the other way; legal in every state."""
        try:
            self._set_mute(muted, by)
        except orders.Refused as refused:
            facts: dict[str, JSON] = {"name": "SetMute", "clip": None, "why": str(refused)}
            self._tell(Kind.DIRECTIVE_REFUSED, {**facts, "state": self.state, "by": by})
        return self._given()

    def await_word(self, awaits: bool) -> None:
        """Whether a wake word wakes; one that does not is refused. The microphone stays as it is."""
        self._awaits_word = awaits

    def finish(self) -> list[Event]:
        """The stream is over: close what is open. Nothing may be heard after it."""
        for name, detection in self._ear.forget_peaks():
            self._near_miss(name, detection)
        if self._capture is not None:
            self._end_capture("interrupted")
        return self._given()

    def adopt(self, settings: DeviceSettings) -> list[Event]:
        """Go on by settings that differ in what `device.reload` calls live; legal in every state, a capture goes on."""
        self.settings = settings
        self._ear.adopt(settings.wake)
        return self._given()

    def set_clock(self, zero: datetime) -> list[Event]:
        """Take another UTC of sample 0; legal in every state. A clip that is open keeps its name and time."""
        before, self.stream = self.stream, Stream(self.stream.device, zero)
        step_s = (zero - before.utc).total_seconds()
        self._tell(Kind.CLOCK_SET, {"zero": self.stream.utc_at(0), "was": before.utc_at(0), "step_s": step_s})
        return self._given()

    # What listening leads to.

    def _lose(self, until: int, why: str) -> None:
        lost = until - self.clock
        self._counts["lost"] += lost
        self._tell(Kind.AUDIO_LOST, {"samples": lost, "end": until, "why": why})
        if lost <= samples(self.settings.audio.gap_fill_ms):
            self._listen(np.zeros(lost, np.int16))
            return
        if self._capture is not None:
            self._end_capture("audio_lost")
        self._forget(until)
        self._check_deadline(until)

    def _listen(self, sound: NDArray[np.int16]) -> None:
        for heard in self._ear.hear(sound, keep=not self.muted):
            if heard.scores is not None:
                self._hop(heard)
            self._check_deadline(heard.end)

    def _hop(self, heard: Heard) -> None:
        assert heard.scores is not None
        self._counts["hops"] += 1
        self._tell(Kind.HOP, {"scores": [float(score) for score in heard.scores]})
        hop = self._ear.ring.read(heard.end - HOP, heard.end)
        if self._capture is not None and self._endpointer is not None:
            self._events.extend(self._capture.advance(self._ear.ring))
            reason = self._endpointer.push(float(self._voice.push(hop)[0]), heard.end)
            if reason is not None:
                self._end_capture(reason)
        elif self._expects(heard.end - HOP) and self._holds_speech(hop):
            self._speech_began(heard.end)
        for name, detection in heard.detections:
            if not detection.woke:
                self._near_miss(name, detection)
            elif (self.state, Cause.WAKE) in TRANSITIONS and self._awaits_word:
                self._judge(name, detection)
            else:
                self._tell(Kind.WAKE_REFUSED, {"word": name, "score": detection.score, "state": self.state})

    def _expects(self, begin: int) -> bool:
        """Whether a hop that begins there may open a capture: what was said before the opening may not."""
        return self.state is State.EXPECTING_SPEECH and begin >= self._open_from

    def _holds_speech(self, hop: NDArray[np.int16]) -> bool:
        return bool(self._voice.push(hop)[0] >= self.settings.capture.speech_probability)

    def _judge(self, name: str, detection: Detection) -> None:
        """Look again at what woke, where that is wanted and there is sound enough; without, it wakes."""
        look, end = self._second_looks.get(name), detection.sample
        score = None
        if look is not None:
            score = look.score(self._ear.ring.read(max(self._ear.ring.tail, end - look.samples), end))
        if look is None or score is None:
            self._wake(name, detection)
            return
        judged: dict[str, JSON] = {"verifier_score": round(score, 4)}
        if score >= look.threshold:
            self._wake(name, detection, judged)
            return
        self._ear.take_back(name)
        self._near_miss(name, detection, {**judged, "verifier_threshold": look.threshold})

    def _near_miss(self, name: str, detection: Detection, judged: Mapping[str, JSON] = MappingProxyType({})) -> None:
        self._counts["near_misses"] += 1
        facts: dict[str, JSON] = {"word": name, "score": detection.score, "peak": detection.peak_sample}
        self._tell(Kind.NEAR_MISS, {**facts, "threshold": self._threshold(name, detection), **judged})

    def _threshold(self, name: str, detection: Detection) -> float:
        return detection.raised or self._ear.triggers[name].settings.threshold

    def _wake(self, name: str, detection: Detection, judged: Mapping[str, JSON] = MappingProxyType({})) -> None:
        self._counts["wakes"] += 1
        ring, pre_roll = self._ear.ring, samples(self.settings.capture.pre_roll_ms)
        word_begin, word_end = word_span(name, detection.sample)
        facts: dict[str, JSON] = {
            "word": name,
            "model": self._ear.scorers.hashes[self._ear.scorers.names.index(name)],
            "score": detection.score,
            "threshold": self._threshold(name, detection),
            "warming_up": self._ear.scorers.warming_up,
            **judged,
        }
        begin = max(word_begin - pre_roll, ring.tail, self._next_clip)
        # With too little sound before the word the Alexa Voice Service wants no indices, and makes no check.
        if begin == word_begin - pre_roll:
            facts |= {"word_begin": word_begin, "word_end": word_end}
            # By these a far end tells which of several devices was spoken to, as with the protocol's wake-word energy.
            facts |= {
                "voice_dbfs": level_dbfs(ring.read(word_begin, word_end)),
                "ambient_dbfs": level_dbfs(ring.read(begin, word_begin)),
            }
        self._end_prompt(heard_whole=False)
        self._tell(Kind.WAKE, facts)
        self._begin_capture(Cause.WAKE, begin, word_end + _WORD_TAIL, {"initiator": "wakeword", **facts})

    def _speech_began(self, end: int) -> None:
        begin = max(end - HOP - samples(self.settings.capture.pre_roll_ms), self._open_from, self._next_clip)
        self._begin_capture(Cause.SPEECH, begin, begin, {"initiator": "expect_speech", "answers": self._turn})

    def _begin_capture(self, cause: Cause, begin: int, after: int, facts: Mapping[str, JSON]) -> None:
        clip = self._turn = self.stream.clip(begin)
        self._next_clip, self._expect_ms = begin + 1, None
        origin: dict[str, JSON] = {"stream": self.stream.name, "utc": self.stream.utc_at(0), **facts}
        self._capture = Capture(clip, begin, samples(self.settings.capture.part_ms), origin)
        self._endpointer = Endpointer(self.settings.capture, after)
        self._set_state(cause, begin + samples(self.settings.capture.limit_ms))
        self._tell(Kind.CAPTURE_BEGIN, {"clip": clip, "begin": begin, "initiator": facts["initiator"]})
        if cause is Cause.WAKE:
            self._earcon("wake")
        self._voice.reset()
        first = -(-max(begin, self.clock - _VOICE_WARM_UP) // HOP) * HOP
        past = self._ear.ring.read(first, self.clock)
        for k, probability in enumerate(self._voice.push(past)):
            self._endpointer.push(float(probability), first + (k + 1) * HOP)
        self._events.extend(self._capture.advance(self._ear.ring))

    # What orders and deadlines lead to.

    def _follow(self, order: orders.Order) -> None:
        match order:
            case orders.StopCapture():
                self._end_capture("stop_capture")
            case orders.ExpectSpeech(timeout_ms):
                self._expect_ms = self.settings.deadlines.expecting_ms if timeout_ms is None else timeout_ms
                if self.state is not State.SPEAKING:  # a prompt plays to its end first
                    self._open_microphone()
            case orders.Speak(text, sound):
                sound = sound[: samples(self.settings.deadlines.prompt_ms)]
                self._end_prompt(heard_whole=False)
                self._set_state(Cause.SPEAK, self.clock + len(sound) + self._prompt_delay)
                self._tell(Kind.PROMPT, {"text": text, "samples": len(sound)}, sound)
            case orders.TurnEnd():
                self._expect_ms = None
                if self.state is not State.SPEAKING:  # likewise
                    self._idle(Cause.DONE)
            case orders.SetMute(muted):
                self._set_mute(muted, Hand.FAR_END)
            case orders.DeleteClip(clip):
                self._tell(Kind.DELETE_CLIP, {"clip": clip})

    def _open_microphone(self) -> None:
        timeout_ms, self._expect_ms = self._expect_ms or 0, None
        self._voice.reset()
        self._open_from = self.clock
        self._set_state(Cause.EXPECT, self.clock + samples(timeout_ms))

    def _end_prompt(self, heard_whole: bool) -> None:
        if self.state is State.SPEAKING:
            self._tell(Kind.PROMPT_END, {"heard_whole": heard_whole})

    def _end_capture(self, reason: str, cause: Cause = Cause.END) -> None:
        assert self._capture is not None
        self._events.extend(self._capture.end(self._ear.ring, reason))
        self._capture = self._endpointer = None
        if cause is Cause.MUTE:
            self._idle(cause)
        else:
            self._set_state(cause, self.clock + samples(self.settings.deadlines.thinking_ms))
        self._earcon("end")

    def _set_mute(self, muted: bool | None, by: Hand) -> None:
        """Off: the sound heard is wiped, and what comes is only counted."""
        holder = switched(self._muted_by, muted, by)
        if holder is self._muted_by:
            return
        if not self.muted:
            if self._capture is not None:
                self._end_capture("muted", Cause.MUTE)
            elif (self.state, Cause.MUTE) in TRANSITIONS:
                self._idle(Cause.MUTE)
            self._forget(self.clock)
            self._expect_ms = None
        self._muted_by = holder
        self._tell(Kind.MUTE, {"muted": self.muted, "by": by})
        self._show()

    def _forget(self, clock: int) -> None:
        for name, detection in self._ear.forget(clock):
            self._near_miss(name, detection)
        self._voice.reset()
        self._open_from = clock

    def _idle(self, cause: Cause) -> None:
        self._turn = None
        self._set_state(cause, self.clock + samples(self.settings.deadlines.heartbeat_ms))

    def _earcon(self, sound: str) -> None:
        self._tell(Kind.EARCON, {"sound": sound, "audible": self.settings.earcons})

    def _set_state(self, cause: Cause, deadline: int) -> None:
        """Go where the transition table says, until `deadline` (a sample) at most."""
        before, self.state = self.state, TRANSITIONS[self.state, cause]
        self._deadline = deadline
        if self.state is State.SPEAKING:
            self._ear.raise_bar(self.settings.wake.speaking_threshold or 0.0)
        elif before is State.SPEAKING:
            self._ear.lower_bar(self.clock + _OWN_TAIL)
        if cause is not Cause.HEARTBEAT:
            self._tell(Kind.STATE, {"from": before, "to": self.state, "cause": cause, "turn": self._turn})
        self._show()

    def _check_deadline(self, now: int) -> None:
        if now >= self._deadline:
            self._expired[self.state](self)

    def _heartbeat(self) -> None:
        self._tell(Kind.HEARTBEAT, dict(self._counts))
        self._set_state(Cause.HEARTBEAT, self.clock + samples(self.settings.deadlines.heartbeat_ms))

    def _thought_too_long(self) -> None:
        self._tell(Kind.THINKING_TIMED_OUT, {"clip": self._turn})
        self._idle(Cause.TIMEOUT)

    def _spoken(self) -> None:
        self._end_prompt(heard_whole=True)
        if self._expect_ms is None:
            self._idle(Cause.SPOKEN)
        else:
            self._open_microphone()

    def _nobody_spoke(self) -> None:
        self._tell(Kind.EXPECT_TIMED_OUT, {"clip": self._turn})
        self._idle(Cause.TIMEOUT)

    def _limit(self) -> None:
        self._end_capture("limit")

    _expired: Mapping[State, Callable[[Firmware], None]] = {
        State.IDLE: _heartbeat,
        State.RECOGNIZING: _limit,
        State.BUSY: _thought_too_long,
        State.SPEAKING: _spoken,
        State.EXPECTING_SPEECH: _nobody_spoke,
    }

    def _show(self) -> None:
        light = "muted" if self.muted else LIGHTS[self.state]
        if light != self._light:
            self._light = light
            self._tell(Kind.LIGHT, {"light": light})

    def _tell(self, kind: Kind, facts: Mapping[str, JSON], audio: NDArray[np.int16] | None = None) -> None:
        self._events.append(Event(self.clock, kind, facts, audio))

    def _given(self) -> list[Event]:
        given, self._events = self._events, []
        return given
