"""The home: who speaks when, what each device's microphone hears of it, and who hears the devices speak."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from device.config import AcousticSettings
from device.yaml_model import SettingFault
from sim.home.air import Air, Piece, heard_at
from sim.home.broadcast import FADE, aired
from sim.home.hearing import Audibility, audibility
from sim.home.levels import Sound, amplitude, at_level, microphone_gain
from sim.home.noise import PinkNoise
from sim.home.paths import Paths, Spot
from sim.home.truth import Happening, SpokenLine
from sim.home.turns import Prompt, Turns
from sim.scenario import Scenario, scenario_error
from sim.scenario.timing import MS, lay_out
from sim.speech.library import Speech
from sim.speech.words import even_words
from uplink.message import JSON
from wakeword.sound import RATE, Samples

BACKGROUND = 0
"""Each kind of randomness has its own stream of the seed, so that a new kind does not change the others."""

LONGEST_RESPONSE = 5 * RATE
"""No room answers longer."""

Key = tuple[str, str]


class Home:
    """A scenario as it is lived, in virtual time: what is said and heard up to a sample depends on nothing after it.

    Deterministic from the scenario's seed, however `advance` is cut.
    """

    def __init__(
        self,
        scenario: Scenario,
        speech: Mapping[Key, Samples],
        acoustics: Mapping[str, AcousticSettings],
    ) -> None:
        """``speech`` by `Scenario.key`; ``acoustics`` by device.

        Raises ScenarioError for a script that cannot be spoken so, RoomError and SoundError.
        """
        try:
            lay_out(scenario, speech.length if isinstance(speech, Speech) else lambda key: len(speech[key]))
        except SettingFault as fault:
            raise scenario_error(scenario, fault) from None
        self.clock = 0
        """Samples handed out so far."""
        self.clipped = dict.fromkeys(scenario.devices, 0)
        """Samples at each device's microphone that were louder than it can tell."""
        self._scenario, self._speech, self._acoustics = scenario, speech, acoustics
        self._paths = paths = Paths(scenario, acoustics)
        self._devices = {name: paths.spot("devices", name) for name in scenario.devices}
        self._people = {name: paths.spot("people", name) for name in scenario.people}
        self._media = {name: paths.spot("media", name) for name in scenario.media}
        sources = [*self._people.values(), *self._media.values(), *self._devices.values()]
        self._air = Air(paths, sources, list(self._devices.values()))
        listeners = [*self._devices.values(), *self._people.values()]
        self._noise = {one: PinkNoise(scenario.seed, BACKGROUND, number) for number, one in enumerate(listeners)}
        self._noise_rms = {name: self._background(name) for name in scenario.rooms}
        self._gains = {name: np.float32(microphone_gain(acoustics[name].full_scale_db_spl)) for name in self._devices}
        self._turns = Turns(scenario)
        self._broadcasts = {name: aired(one, speech, scenario.folder) for name, one in scenario.media.items()}
        self._on_air = {name: next(them, None) for name, them in self._broadcasts.items()}
        self._pieces: list[Piece] = []
        self._playing: list[Prompt] = []
        self._prompts = 0
        self._ends = 0
        """When the last sound that was begun is over."""
        self._now = 0
        self._truth: list[SpokenLine] = []
        self._happened: list[Happening] = []
        self._hash = hashlib.sha256()

    @property
    def over(self) -> bool:
        """Whether everything is said, no prompt plays, and the tail has passed."""
        busy = self._playing or not self._turns.done or any(one is not None for one in self._on_air.values())
        return not busy and self.clock >= self._ends + self._scenario.tail_ms * MS

    @property
    def truth(self) -> tuple[SpokenLine, ...]:
        """What people and media have said and begun to say so far, in order."""
        return tuple(self._truth)

    def sound_of(self) -> str:
        """SHA-256 of what has sounded so far as it left mouths and loudspeakers: when, and each sample."""
        return self._hash.hexdigest()

    def happenings(self) -> list[Happening]:
        """What happened since the last call, in order."""
        happened, self._happened = self._happened, []
        return happened

    def advance(self, samples: int) -> dict[str, NDArray[np.int16]]:
        """The next ``samples`` at each device's microphone, in the scenario's order."""
        end = self.clock + samples
        while self._step(end):
            pass
        heard = {
            name: self._at_microphone(name, spot, sound)
            for (name, spot), sound in zip(self._devices.items(), self._air.take(samples), strict=True)
        }
        self.clock = end
        oldest = min([end, *(prompt.begin for prompt in self._playing)]) - LONGEST_RESPONSE
        self._pieces = [piece for piece in self._pieces if piece.end > oldest]
        return heard

    def play(self, device: str, sound: NDArray[np.int16], text: str) -> None:
        """Let a device's loudspeaker begin now, at `clock`; what it still plays is broken off."""
        self.stop(device)
        dry = at_level(sound, self._acoustics[device].loudspeaker_db_spl)
        self._playing.append(Prompt(self._prompts, device, text, self.clock, self.clock + len(dry)))
        self._sound(Piece(self._devices[device], self.clock, dry, self._prompts))
        self._prompts += 1

    def stop(self, device: str) -> None:
        """Break off what a device plays, now, with a short fade: by adding the rest of it the other way round."""
        for prompt in [one for one in self._playing if one.device == device and one.end > self.clock]:
            parts = [piece for piece in self._pieces if piece.prompt == prompt.number]
            rest = np.concatenate([piece.dry[self.clock - piece.begin :] for piece in parts])
            n = min(FADE, len(rest))
            rest[:n] *= np.linspace(0, 1, n, dtype=np.float32)
            prompt.end = self.clock
            self._sound(Piece(self._devices[device], self.clock, -rest, prompt.number))

    def _step(self, end: int) -> bool:
        """Do what is next before ``end``: at one sample first prompts end, then media begin, then people."""
        due = self._turns.due(self._playing)
        coming: list[tuple[int, int, str]] = [(prompt.end, 0, "") for prompt in self._playing]
        coming += [(piece.begin, 1, name) for name, piece in self._on_air.items() if piece is not None]
        coming += [] if due is None else [(due, 2, "")]
        at, kind, name = min(coming, default=(end, 0, ""), key=lambda each: each[:2])
        if at >= end:
            return False
        self._now = max(self._now, at)
        if kind == 0:
            self._prompt_ends(next(prompt for prompt in self._playing if prompt.end == at))
        elif kind == 1:
            self._air_piece(name)
        else:
            self._take_turn()
        return True

    def _prompt_ends(self, prompt: Prompt) -> None:
        self._playing.remove(prompt)
        self._ends = max(self._ends, prompt.end)
        for who in self._scenario.people:
            found = self._audibility(prompt, who, prompt.end)
            facts: dict[str, JSON] = {"device": prompt.device, "text": prompt.text, "prompt": prompt.begin, "who": who}
            levels: dict[str, JSON] = {"level_db_spl": found.level_db_spl, "rest_db_spl": found.rest_db_spl}
            facts |= {**levels, "share": found.share, "heard": found.heard}
            self._happened.append(Happening(prompt.end, "prompt_audible", facts))
            if found.heard:
                self._turns.heard(prompt, who)

    def _air_piece(self, name: str) -> None:
        piece = self._on_air[name]
        assert piece is not None
        self._on_air[name] = next(self._broadcasts[name], None)
        self._sound(Piece(self._media[name], piece.begin, piece.sound))
        if piece.text:
            key = (str(self._scenario.media[name].voice), piece.text)
            self._tell(name, key, piece.begin, len(piece.sound))

    def _take_turn(self) -> None:
        turns = self._turns
        if turns.gives_up():
            turns.give_up(self._now)
            return
        prompt = turns.listens(self._now, self._playing)
        if prompt is not None and self._audibility(prompt, turns.next.who, self._now).heard:
            turns.hold(prompt)
            return
        key = self._scenario.key(turns.next)
        person = self._scenario.people[turns.next.who]
        dry = at_level(self._speech[key], person.level_db_spl)
        line = turns.say(self._now, self._now + len(dry))
        self._sound(Piece(self._people[line.who], self._now, dry))
        means = None if line.means is None else line.means.model_dump(exclude_none=True)
        self._tell(line.who, key, self._now, len(dry), line.to, means)

    def _tell(
        self, who: str, key: Key, begin: int, n: int, to: str | None = None, means: dict[str, JSON] | None = None
    ) -> None:
        words = self._speech.words(key) if isinstance(self._speech, Speech) else even_words(key[1], n)
        placed = tuple((word, begin + first, begin + last) for word, first, last in words if first < n)
        said = SpokenLine(who, key[1], begin, begin + n, to, means, placed)
        self._truth.append(said)
        self._happened.append(Happening(begin, "said", said.facts()))

    def _sound(self, piece: Piece) -> None:
        self._air.add(piece)
        self._pieces.append(piece)
        self._ends = max(self._ends, piece.end if piece.prompt is None else 0)
        self._hash.update(f"{piece.source.kind} {piece.source.name} {piece.begin} ".encode())
        self._hash.update(piece.dry.astype("<f4").tobytes())

    def _at_microphone(self, name: str, spot: Spot, sound: Sound) -> NDArray[np.int16]:
        rms = self._noise_rms[spot.room]
        if rms:
            sound = sound + self._noise[spot].between(self.clock, self.clock + len(sound)) * rms
        scaled = np.rint(sound * self._gains[name])
        clipped = np.clip(scaled, -32768, 32767)
        self.clipped[name] += int(np.count_nonzero(clipped != scaled))
        heard: NDArray[np.int16] = clipped.astype(np.int16)
        return heard

    def _audibility(self, prompt: Prompt, who: str, until: int) -> Audibility:
        """How a prompt has reached a person by ``until``."""
        listener = self._people[who]
        if until <= prompt.begin:
            return audibility(np.zeros(0, np.float32), np.zeros(0, np.float32))
        its = [piece for piece in self._pieces if piece.prompt == prompt.number]
        others = [piece for piece in self._pieces if piece.prompt != prompt.number]
        rest = heard_at(self._paths, listener, others, prompt.begin, until)
        rest += self._noise[listener].between(prompt.begin, until) * self._noise_rms[listener.room]
        return audibility(heard_at(self._paths, listener, its, prompt.begin, until), rest)

    def _background(self, room: str) -> np.float32:
        """RMS of a room's noise."""
        background = self._scenario.rooms[room].background
        if background is None:
            return np.float32(0)
        if background.db_spl is not None:
            return np.float32(amplitude(background.db_spl))
        device = next(iter(self._devices.values()))
        powers = [
            amplitude(level) ** 2 * float(np.sum(self._paths.between(spot, device).astype(np.float64) ** 2))
            for spot, level in self._speakers()
        ]
        return np.float32(np.sqrt(np.mean(powers)) * amplitude(-(background.snr_db or 0.0)))

    def _speakers(self) -> Iterator[tuple[Spot, float]]:
        """Where each line is said and how loud; what media play, where nobody else speaks."""
        for line in self._scenario.script:
            yield self._people[line.who], self._scenario.people[line.who].level_db_spl
        if not self._scenario.script:
            for name, medium in self._scenario.media.items():
                yield self._media[name], medium.level_db_spl
