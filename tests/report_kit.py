"""A made-up evening as a run directory: a wake, three misunderstandings, a message; and what would have stopped it.

The decisions in it are written by hand: they stand for what a far end may tell, so that the report can be looked at
without one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.audio import Block
from device.events import Event, Stream
from device.rundir import RunDirectory
from wakeword.frames import HOP
from wakeword.sound import RATE

Samples = NDArray[np.int16]
Speak = Callable[[str, str], Samples]
Told = tuple[int, str, Mapping[str, Any]]

UTC_0 = datetime(2018, 5, 25, 1, 30, tzinfo=UTC)

LINES = (
    (2.0, "ann", "I went to the lecture about humidity last night."),
    (6.0, "ben", "So I sent a message to the office before we left."),
    (13.5, "ann", "Frank had his floors done in oak, you know."),
    (20.5, "ben", "Right, he went with the wide boards."),
    (25.0, "ann", "The wide ones move more when the air is dry, and then you get gaps."),
    (32.0, "ben", "Not if you let them rest in the room for two weeks."),
)


def tone(length: int, loud: int = 6_000) -> Samples:
    """A sound that can be told from silence."""
    sound: Samples = np.rint(loud * np.sin(np.arange(length) * 0.2)).astype(np.int16)
    return sound


def hum(_: str, text: str) -> Samples:
    """About as long as the words would take."""
    return tone(RATE * len(text) // 16)


@dataclass
class Evening:
    """What is said in a home, and what one device hears of it; events are added with `tell`."""

    name: str = "echo-dot"
    seconds: float = 40.0
    speak: Speak = hum
    events: list[Told] = field(default_factory=list)
    lines: list[tuple[int, int, str, str]] = field(default_factory=list)
    sound: Samples = field(default_factory=lambda: np.zeros(0, np.int16))

    def __post_init__(self) -> None:
        self.sound = np.zeros(round(self.seconds * RATE), np.int16)
        for at, who, text in LINES:
            spoken = self.speak(who, text)
            begin = round(at * RATE)
            self.mix(begin, spoken)
            self.lines.append((begin, begin + len(spoken), who, text))
            words = spread(text, begin, begin + len(spoken))
            self.tell(begin, "said", who=who, text=text, begin=begin, end=begin + len(spoken), to=None, words=words)

    @property
    def stream(self) -> Stream:
        return Stream(self.name, UTC_0)

    def mix(self, begin: int, sound: Samples) -> None:
        """Add a sound to what the microphone hears."""
        self.sound[begin : begin + len(sound)] += sound

    def tell(self, sample: int, kind: str, **facts: Any) -> None:
        self.events.append((sample, kind, facts))

    def capture(self, begin: int, end: int, initiator: str, heard: str | None, **facts: Any) -> str:
        """A clip with its parts and receipts, and what was heard in it; gives its id."""
        clip, at = self.stream.clip(begin), max(begin, 0)
        opened = (
            [at for at, kind, _ in self.events if kind == "wake"] if initiator == "wakeword" else [begin + RATE // 2]
        )
        self.tell(opened[-1], "capture_begin", clip=clip, begin=begin, initiator=initiator)
        for number, first in enumerate(range(at, end, RATE)):
            last = min(first + RATE, end)
            whole = last == end
            ready = max(last, opened[-1])
            self.tell(ready, "part", clip=clip, number=number, last=whole, begin=first, end=last, facts={})
            self.tell(ready, "part_sent", clip=clip, number=number, bytes=17_000)
            self.tell(ready, "receipt", clip=clip, number=number, complete=whole)
        self.tell(end, "capture_end", clip=clip, reason="silence", begin=begin, end=end, parts=number + 1)
        if heard is not None:
            listed = [[*word, 0.9 - 0.07 * (place % 5)] for place, word in enumerate(self.times(heard, begin, end))]
            self.tell(end, "transcript", clip=clip, text=heard, recognizer="pocketsphinx", words=listed, **facts)
            said = " ".join(text for first, last, _, text in self.lines if first < end and begin < last)
            self.tell(end, "really_said", clip=clip, text=said)
        return clip

    def times(self, heard: str, begin: int, end: int) -> list[list[Any]]:
        """The heard words at the times of the said ones, as far as these go; samples of the clip."""
        said = [word for _, kind, facts in self.events if kind == "said" for word in facts["words"]]
        inside = [word for word in said if begin <= word[1] and word[2] <= end]
        words = heard.split() if inside else []
        places = np.linspace(0, len(inside) - 1, len(words)).round().astype(int)
        return [[word, inside[k][1] - begin, inside[k][2] - begin] for word, k in zip(words, places, strict=True)]

    def prompt(self, at: int, text: str, *listeners: tuple[str, float, float, float, bool]) -> int:
        """The device says something; gives when it is over."""
        sound = self.speak("device", text)
        self.mix(at, sound // 3)
        self.tell(at, "prompt", text=text, samples=len(sound))
        end = at + len(sound)
        self.tell(end, "prompt_end", heard_whole=True)
        for who, level, rest, share, heard in listeners:
            facts = {"who": who, "level_db_spl": level, "rest_db_spl": rest, "share": share, "heard": heard}
            self.tell(end, "prompt_audible", device=self.name, text=text, prompt=at, **facts)
        return end

    def write(self, folder: Path, scores: Sequence[float] = (), **more: Any) -> Path:
        """Leave it as a run directory; `more` replaces what the manifest says."""
        record = RunDirectory(folder, self.stream, ("alexa",), keep_audio=True, addressed=lambda *_: False)
        for begin, end, who, text in self.lines:
            record.label(begin, end, f"{who}: {text}")
        record.hear(Block(0, self.sound))
        hops = scores or [0.02] * (len(self.sound) // HOP)
        for hop, score in enumerate(hops, 1):
            record.note(Event(hop * HOP, "hop", {"scores": [score]}))
        for sample, kind, facts in sorted(self.events, key=lambda told: told[0]):
            cut = self.sound[facts["begin"] : facts["end"]] if kind == "part" else None
            record.note(Event(sample, kind, facts, cut))
        script = [{"who": who, "say": text, "to": None} for _, who, text in LINES]
        scenario: Any = {"name": "portland", "shows": "An evening.", "people": {"ann": {}, "ben": {}}, "script": script}
        cloud: Any = {"verifier": {"method": "none"}, "dialog": {"intent_score": 0.7, "contact_score": 0.65}}
        record.close({"scenario": scenario, "device": {"name": self.name}, "seed": 7, "cloud": cloud, **more})
        return folder


def spread(text: str, begin: int, end: int) -> list[list[Any]]:
    """Words evenly by their letters over a stretch of samples."""
    words = text.split()
    edges = np.cumsum([0, *(len(word) + 1 for word in words)]) / (len(text) + 1) * (end - begin) + begin
    return [[word, int(edges[place]), int(edges[place + 1])] for place, word in enumerate(words)]


def oregon(speak: Speak = hum) -> Evening:
    """The chain to its end: woken by a lecture, a request, a name, a "right", and a message to Frank."""
    home = Evening(speak=speak)
    lecture = next(word for word in home.events[0][2]["words"] if word[0] == "lecture")
    word_begin, word_end = lecture[1] - 1_000, lecture[1] + 8_200
    woke = -(-(word_end + 800) // HOP) * HOP
    spans = {"word_begin": word_begin, "word_end": word_end}
    home.tell(woke, "wake", word="alexa", model="0" * 64, score=0.53, threshold=0.5, warming_up=False, **spans)
    states(home, (woke, "RECOGNIZING", "listening"), (178_000, "BUSY", "thinking"))
    first = home.capture(
        word_begin - 8_000,
        178_000,
        "wakeword",
        "the lecture about humanity last night so i sent a message to the office before we lift",
        alternatives=["electric about humidity last night so i sent a message to the office before the left"],
    )
    home.tell(
        178_000, "intent", clip=first, intent="send_message", phrase="so i sent a message", template="send a message",
        score=0.84, slots={},
    )  # fmt: skip
    quiet = (("ann", 38.2, 61.4, 0.03, False), ("ben", 36.9, 58.0, 0.05, False))
    over = home.prompt(188_000, "To whom?", *quiet)
    states(home, (188_000, "SPEAKING", "speaking"), (over, "EXPECTING_SPEECH", "listening"))
    states(home, (224_000, "RECOGNIZING", "listening"), (292_000, "BUSY", "thinking"))
    second = home.capture(216_000, 292_000, "expect_speech", "frank had his floors done in oak you know")
    candidates = [["Frank", 0.71], ["Linda", 0.33]]
    home.tell(
        292_000, "contact", clip=second, heard="frank had", name="Frank", score=0.71, by="sound", candidates=candidates
    )
    over = home.prompt(302_000, "Frank, right?", ("ann", 39.0, 60.2, 0.04, False), ("ben", 37.5, 30.0, 0.71, True))
    states(home, (302_000, "SPEAKING", "speaking"), (over, "EXPECTING_SPEECH", "listening"))
    states(home, (329_000, "RECOGNIZING", "listening"), (384_000, "BUSY", "thinking"))
    third = home.capture(322_000, 384_000, "expect_speech", "right he went with the white boards")
    home.tell(384_000, "confirmation", clip=third, heard="right", answer="yes", score=1.0)
    states(home, (394_000, "EXPECTING_SPEECH", "listening"), (400_000, "RECOGNIZING", "listening"))
    states(home, (592_000, "BUSY", "thinking"), (600_000, "IDLE", "off"))
    last = home.capture(
        396_000,
        592_000,
        "expect_speech",
        "the wide ones move more when the air is dry and then you get gaps not if you let them rest in the room "
        "for two weeks",
    )
    because = [{"step": "intent", "clip": first, "heard": "so i sent a message", "taken_for": "send_message"}]
    home.tell(592_000, "message", clip=last, id="m-1", to="Frank", text="the wide ones", audio_s=12.25, because=because)
    home.tell(600_000, "dialog_ended", clip=last, why="sent")
    home.tell(620_000, "heartbeat", hops=484)
    return home


def woken(*, to: str | None = None) -> tuple[Evening, str]:
    """An evening in which a word wakes the device at 3.5 s and a clip of six seconds is heard."""
    home = Evening()
    if to is not None:
        sample, kind, facts = home.events[0]
        home.events[0] = sample, kind, {**facts, "to": to}
    span = {"word_begin": 48_000, "word_end": 56_000}
    home.tell(56_320, "wake", word="alexa", model="", score=0.61, threshold=0.5, warming_up=False, **span)
    return home, home.capture(40_000, 136_000, "wakeword", "so i sent a message to the office")


def states(home: Evening, *changes: tuple[int, str, str]) -> None:
    """State and light together."""
    for at, state, light in changes:
        home.tell(at, "state", **{"from": "?", "to": state, "cause": "?", "turn": None})
        home.tell(at, "light", light=light)


def scores_of(home: Evening) -> list[float]:
    """A curve that peaks where it woke."""
    woke = next((at for at, kind, _ in home.events if kind == "wake"), -1) // HOP
    hops = len(home.sound) // HOP
    return [max(0.01, 0.53 - 0.1 * abs(hop - woke + 1)) for hop in range(hops)]


WHAT_IF: tuple[dict[str, Any], ...] = (
    {
        "name": "as it was", "value": "", "shows": "the profile of 2018", "woke": True, "uploaded_s": 27.6,
        "verified": None, "intent": "send_message", "contact": "Frank", "confirmed": True, "sent": True,
        "misdirected": True, "heard_by": ["ben"], "false_wakes": 1, "stopped": "",
    },
    {
        "name": "threshold", "value": 0.8, "shows": "a wake word must score 0.8", "woke": False, "uploaded_s": 0.0,
        "verified": None, "intent": None, "contact": None, "confirmed": None, "sent": False, "misdirected": False,
        "heard_by": [], "false_wakes": 0, "stopped": "wake",
    },
    {
        "name": "verifier", "value": "on", "shows": "the far end checks the wake word", "woke": True,
        "uploaded_s": 2.4, "verified": False, "intent": None, "contact": None, "confirmed": None, "sent": False,
        "misdirected": False, "heard_by": [], "false_wakes": 1, "stopped": "second look",
    },
    {
        "name": "confirm", "value": "strict", "shows": "only a yes is a yes", "woke": True, "uploaded_s": 16.4,
        "verified": None, "intent": "send_message", "contact": "Frank", "confirmed": False, "sent": False,
        "misdirected": False, "heard_by": ["ben"], "false_wakes": 1, "stopped": "confirmation",
    },
    {
        "name": "prompt_db", "value": "+12", "shows": "the device speaks 12 dB louder", "woke": True,
        "uploaded_s": 12.9, "verified": None, "intent": "send_message", "contact": None, "confirmed": None,
        "sent": False, "misdirected": False, "heard_by": ["ann", "ben"], "false_wakes": 1, "stopped": "contact",
    },
    {
        "name": "communications", "value": "off", "shows": "messages cannot be sent", "woke": True,
        "uploaded_s": 9.4, "verified": None, "intent": "send_message", "contact": None, "confirmed": None,
        "sent": False, "misdirected": False, "heard_by": [], "false_wakes": 1, "stopped": "communications",
    },
    {
        "name": "confirm", "value": "none", "shows": "it is not asked", "woke": True, "uploaded_s": 24.0,
        "verified": None, "intent": "send_message", "contact": "Linda", "confirmed": None, "sent": True,
        "misdirected": True, "heard_by": ["ben"], "false_wakes": 1, "stopped": "",
    },
    {"name": "engine", "value": "micro", "shows": "another engine", "missing": "pip install pymicro-wakeword"},
)  # fmt: skip


def oregon_run(folder: Path, speak: Speak = hum) -> Path:
    """The evening as a run directory, with its message and its table of what-ifs."""
    home = oregon(speak)
    home.write(folder, scores_of(home))
    path = folder / "run.json"
    outcome = json.loads(path.read_text(encoding="utf-8"))
    clip = home.stream.clip(396_000)
    outcome["messages"] = [{"to": "Frank", "misdirected": True, "audio_s": 12.25, "id": "m-1", "clip": clip}]
    outcome["what_if"] = list(WHAT_IF)
    path.write_text(json.dumps(outcome), encoding="utf-8")
    return folder
