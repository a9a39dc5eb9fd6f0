from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sim.errors import SpeechError
from sim.home.overhear import overhear
from sim.scenario import Contact, Scenario, load_scenario, shipped_scenarios
from sim.speech import library
from sim.speech.library import load_lines, load_speech
from sim.speech.manifest import MANIFEST, read_manifest, sha256_samples, shipped_folder
from sim.speech.rendering import lines_of, prompts_of, render_into
from sim.speech.voices import Spoken, Voice, renderer, speak
from wakeword import load_scorer
from wakeword.errors import SoundError
from wakeword.sound import decode_flac

Needs = Callable[[str], str]

HOP = 1280
THRESHOLD = 0.5


@pytest.fixture
def kitchen() -> Scenario:
    return load_scenario("kitchen-unacceptable")


def unshipped(kitchen: Scenario) -> Scenario:
    line = kitchen.script[0].model_copy(update={"say": "Nobody shipped this."})
    return kitchen.model_copy(update={"script": (line,)})


def test_every_shipped_file_is_what_the_manifest_says() -> None:
    folder, recordings = shipped_folder(), read_manifest(shipped_folder())
    assert recordings
    for one in recordings.values():
        data = (folder / one.file).read_bytes()
        samples = decode_flac(data)
        assert hashlib.sha256(data).hexdigest() == one.sha256_file
        assert sha256_samples(samples) == one.sha256_samples
        assert len(samples) == one.n_samples
    assert {path.name for path in folder.glob("*.flac")} == {one.file for one in recordings.values()}
    assert sum(path.stat().st_size for path in folder.glob("*.flac")) < 6_000_000


def test_every_line_and_prompt_of_every_shipped_scenario_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no voice is installed
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        assert set(load_speech(scenario, cache=tmp_path / "cache")) == set(scenario.utterances)
        load_lines(prompts_of(scenario), cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_voices_still_say_what_is_shipped(needs: Needs) -> None:
    needs("flite")
    recordings = [one for one in read_manifest(shipped_folder()).values() if one.voice.startswith("flite:")]
    same = [one for one in recordings if one.renderer == renderer(Voice.parse(one.voice))]
    if not same:
        pytest.skip(f"the shipped speech is of {recordings[0].renderer}, here is another")
    for one in same:
        spoken = speak(Voice.parse(one.voice), one.text)
        assert sha256_samples(spoken.samples) == one.sha256_samples, one.text
        assert spoken.words == one.words, one.text


def test_a_changed_recording_is_noticed(kitchen: Scenario, tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    shutil.copytree(shipped_folder(), folder)
    (one, other) = (read_manifest(folder)[key].file for key in kitchen.utterances[:2])
    loaded = load_speech(kitchen, folder=folder)
    shutil.copy(folder / one, folder / other)
    with pytest.raises(SpeechError, match=f"{other} is not the recording"):
        loaded[kitchen.utterances[1]]
    with pytest.raises(SpeechError, match=f"{other} is not the recording"):
        load_speech(kitchen, folder=folder)
    (folder / other).unlink()
    with pytest.raises(SpeechError, match=f"{other} cannot be read"):
        load_speech(kitchen, folder=folder)
    (folder / MANIFEST).write_text('{"recordings": [{}]}')
    with pytest.raises(SpeechError, match="no manifest of speech") as caught:
        load_speech(kitchen, folder=folder)
    assert "\n" not in str(caught.value)


def test_a_line_tells_its_length_and_its_words(kitchen: Scenario) -> None:
    speech = load_speech(kitchen)
    for key in kitchen.utterances:
        words = speech.words(key)
        assert speech.length(key) == len(speech[key])
        assert [word for word, *_ in words] == [token.strip("?,.") for token in key[1].split()]
        assert all(0 <= begin < end <= speech.length(key) for _, begin, end in words)
        assert [begin for _, begin, _ in words] == sorted(begin for _, begin, _ in words)


def test_a_day_of_speech_is_not_held_at_once(monkeypatch: pytest.MonkeyPatch, kitchen: Scenario) -> None:
    speech = load_speech(kitchen)
    monkeypatch.setattr(library, "HELD", 100_000)
    for key in kitchen.utterances:
        speech[key]
        assert sum(map(len, speech._held.values())) <= 100_000
    assert list(speech._held)[-1] == kitchen.utterances[-1]


def test_recordings_are_read_from_where_the_scenario_is(tmp_path: Path) -> None:
    sound = np.rint(8000 * np.sin(np.arange(44_100) / 10)).astype(np.int16)
    soundfile.write(tmp_path / "hello.wav", sound, 44_100)
    (only,) = load_lines([("file:hello.wav", "Hello there.")], base=tmp_path).items()
    assert len(only[1]) == 16_000
    assert isinstance(only[1], np.ndarray)
    with pytest.raises(SoundError, match="is not a file"):
        load_lines([("file:hello.wav", "Hello there.")], base=tmp_path / "elsewhere")


def test_a_line_that_is_not_shipped_is_rendered_once_and_kept(
    needs: Needs, kitchen: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("flite")
    scenario, rendered = unshipped(kitchen), []

    def count(voice: Voice, text: str) -> Spoken:
        rendered.append(text)
        return speak(voice, text)

    monkeypatch.setattr(library, "speak", count)
    first = load_speech(scenario, cache=tmp_path)
    again = load_speech(scenario, cache=tmp_path)
    assert rendered == ["Nobody shipped this."]
    (key,) = first
    np.testing.assert_array_equal(first[key], again[key])
    assert first.words(key) == again.words(key)
    assert [word for word, *_ in first.words(key)] == ["Nobody", "shipped", "this"]
    for suffix, damaged in ((".flac", b"fLaC"), (".json", b"{}")):  # cut off: rendered again
        next(tmp_path.glob(f"*{suffix}")).write_bytes(damaged)
        np.testing.assert_array_equal(load_speech(scenario, cache=tmp_path)[key], first[key])
    assert len(rendered) == 3
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    np.testing.assert_array_equal(load_speech(scenario, cache=in_the_way)[key], first[key])


def test_rendering_writes_a_folder_that_loads_and_drops_what_nobody_says(
    needs: Needs, kitchen: Scenario, tmp_path: Path
) -> None:
    needs("flite")
    scenario = unshipped(kitchen)
    one, new = kitchen.utterances[0], scenario.utterances[0]
    assert len(render_into(tmp_path, [one], [one])) == 1
    assert len(render_into(tmp_path, [new], [one, new])) == 2
    assert load_lines([one], folder=tmp_path).keys() == {one}
    (only,) = render_into(tmp_path, [new], [new])
    assert [path.name for path in tmp_path.glob("*.flac")] == [only.file]
    assert [word for word, *_ in only.words] == ["Nobody", "shipped", "this"]
    assert '["Nobody", ' in (tmp_path / MANIFEST).read_text()


def test_what_a_device_may_say_is_known_beforehand(kitchen: Scenario) -> None:
    prompts = prompts_of(kitchen.model_copy(update={"contacts": (Contact(name="Frank"),)}))
    assert {("flite:slt", "To whom?"), ("flite:slt", "Frank, right?")} <= set(prompts)
    assert not set(prompts) & set(lines_of(kitchen))


def test_the_kitchen_wakes_the_real_model_at_every_phase(kitchen: Scenario) -> None:
    """Where the first sample falls in a hop is chance on a real device: no phase may miss what the scenario shows."""
    mixed, scorer = overhear(kitchen), load_scorer("alexa")
    wakes = ("Unacceptable, for that money.", "A lecture about opening windows.")
    may_wake = ("A letter from the landlord. He wants ninety pounds more a month.", "People accept it and say nothing.")
    assert 30 < len(mixed.samples) / 16_000 < 45
    begins = [line.begin for line in mixed.truth[1:]] + [len(mixed.samples)]
    for phase in range(0, HOP, 160):
        scorer.reset()
        scores = scorer.score(np.concatenate([np.zeros(phase, np.int16), mixed.samples]))
        for line, following in zip(mixed.truth, begins, strict=True):
            peak = float(np.max(scores[(line.begin + phase) // HOP : (following + phase) // HOP]))
            if line.text in wakes:
                assert peak > THRESHOLD, (line.text, phase)
            elif line.text not in may_wake:
                assert peak < 0.1, (line.text, phase)


def test_after_each_wake_somebody_goes_on_talking_and_then_there_is_a_pause(kitchen: Scenario) -> None:
    truth = overhear(kitchen).truth
    for number in (3, 7):
        woke, private = truth[number], truth[number + 1]
        after = truth[number + 2].begin if number + 2 < len(truth) else private.end + kitchen.tail_ms * 16
        assert private.who != woke.who
        assert private.begin - woke.end < 8000  # shorter than an endpoint by silence
        assert 3 * 16_000 <= private.end - private.begin <= 5 * 16_000
        assert after - private.end >= 12_800
