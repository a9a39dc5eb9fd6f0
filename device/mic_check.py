"""What a microphone is worth for the wake word: its level, and what the detector makes of it, measured as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from device.audio import Block
from device.config import WakeSettings
from device.ear import Ear
from device.judges import Voice
from device.level import Level, Meter, advice
from uplink.message import JSON
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE
from wakeword.trigger import Detection

SPEECH = 0.5
"""The voice detector's output from which on a hop counts as speech."""
_RING_MS = 4000


@dataclass
class Word:
    """What became of one wake word."""

    threshold: float
    highest: float = 0.0
    wakes: list[Detection] = field(default_factory=list)
    near_misses: list[Detection] = field(default_factory=list)


@dataclass(frozen=True)
class Now:
    """The newest hop."""

    dbfs: float
    peak_dbfs: float
    speech: bool
    scores: tuple[float, ...]


class Examination:
    """Takes the blocks of a source; `now` is for whoever looks on, `facts` what it came to."""

    def __init__(self, settings: WakeSettings, scorers: ScorerGroup, voice: Voice) -> None:
        self._ear = Ear(settings, _RING_MS, scorers)
        self._voice, self._names = voice, scorers.names
        self._meter = Meter()
        self.words = {name: Word(trigger.settings.threshold) for name, trigger in self._ear.triggers.items()}
        self.spoken_hops = 0
        self.lost: dict[str, int] = {}
        """Samples, by what lost them."""

    @property
    def clock(self) -> int:
        """Samples so far, lost ones too."""
        return self._ear.clock

    def hear(self, block: Block) -> list[Now]:
        """Take the next block; gives its whole hops."""
        if block.begin > self._ear.clock:
            why = block.why or "unknown"
            self.lost[why] = self.lost.get(why, 0) + block.begin - self._ear.clock
            self._decide(self._ear.forget(block.begin))
            self._voice.reset()
        found = []
        for heard in self._ear.hear(block.samples, keep=True):
            if heard.scores is None:
                continue
            hop = self._ear.ring.read(heard.end - HOP, heard.end)
            speech = bool(self._voice.push(hop)[0] >= SPEECH)
            self.spoken_hops += speech
            self._meter.hear(hop, speech)
            for word, score in zip(self.words.values(), heard.scores, strict=True):
                word.highest = max(word.highest, float(score))
            self._decide(heard.detections)
            single = Meter()
            single.hear(hop)
            level = single.level()
            scores = tuple(float(score) for score in heard.scores)
            found.append(Now(level.rms_dbfs or 0.0, level.peak_dbfs or 0.0, speech, scores))
        return found

    def _decide(self, detections: tuple[tuple[str, Detection], ...]) -> None:
        for name, detection in detections:
            word = self.words[name]
            (word.wakes if detection.woke else word.near_misses).append(detection)

    def finish(self) -> None:
        """The sound is over: what was under way counts."""
        self._decide(self._ear.forget_peaks())

    def level(self) -> Level:
        """The level so far."""
        return self._meter.level()

    def advice(self) -> list[str]:
        """What to do, as sentences; none where all is well."""
        level = self.level()
        found = advice(level)
        if level.seconds and not self.spoken_hops and level.constant is None:
            found.append("nobody spoke; say the wake word a few times while this runs")
        for name, word in self.words.items():
            if word.near_misses and len(word.near_misses) > len(word.wakes):
                heard = f"{name!r} was nearly heard {len(word.near_misses)} times and heard {len(word.wakes)} times"
                found.append(f"{heard}; misheard tune finds the threshold for this voice and place")
        lost = {why: samples for why, samples in self.lost.items() if why != "gone"}
        if lost:
            seconds = f"{sum(lost.values()) / RATE:.2f} s of sound were lost ({', '.join(sorted(lost))})"
            found.append(f"{seconds}; let less run beside it, or give the microphone a USB port of its own")
        return found

    def hopeless(self) -> bool:
        """Whether nothing can be heard with this microphone as it is."""
        level = self.level()
        return level.rms_dbfs is None or level.constant is not None

    def facts(self, source: str) -> dict[str, JSON]:
        """Everything, for JSON."""
        level = self.level()
        return {
            "source": source,
            "seconds": level.seconds,
            "level": {
                "rms_dbfs": level.rms_dbfs,
                "peak_dbfs": level.peak_dbfs,
                "noise_floor_dbfs": level.floor_dbfs,
                "speech_dbfs": level.speech_dbfs,
                "snr_db": level.snr_db,
                "offset": level.offset,
                "clipped": level.clipped,
                "constant": level.constant,
            },
            "spoken_s": round(self.spoken_hops * HOP / RATE, 2),
            "lost": dict(self.lost),
            "words": {name: _facts(word) for name, word in self.words.items()},
            "advice": list(self.advice()),
        }


def _facts(word: Word) -> Mapping[str, JSON]:
    return {
        "threshold": word.threshold,
        "highest": round(word.highest, 4),
        "wakes": [_detection(each) for each in word.wakes],
        "near_misses": [_detection(each) for each in word.near_misses],
    }


def _detection(each: Detection) -> dict[str, JSON]:
    return {"at_s": round(each.peak_sample / RATE, 2), "score": round(each.score, 4)}
