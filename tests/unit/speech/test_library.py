from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.errors import SpeechError
from sim.home.mixer import mix
from sim.scenario import Scenario, load_scenario, shipped_scenarios
from sim.speech import library
from sim.speech.library import load_speech, render_into
from sim.speech.manifest import MANIFEST, read_manifest, sha256_samples, shipped_folder
from sim.speech.voices import Voice, render, renderer
from wakeword import load_scorer
from wakeword.sound import Samples, decode_flac

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
    assert sum(path.stat().st_size for path in folder.glob("*.flac")) < 1_500_000


def test_every_line_of_every_shipped_scenario_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no voice is installed
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        spoken = load_speech(scenario, cache=tmp_path / "cache")
        assert set(spoken) == set(scenario.utterances)
    assert not (tmp_path / "cache").exists()


def test_the_voices_still_say_what_is_shipped(needs: Needs) -> None:
    needs("flite")
    recordings = [one for one in read_manifest(shipped_folder()).values() if one.voice.startswith("flite:")]
    same = [one for one in recordings if one.renderer == renderer("flite")]
    if not same:
        pytest.skip(f"the shipped speech is of {recordings[0].renderer}, here is {renderer('flite')}")
    for one in same:
        assert sha256_samples(render(Voice.parse(one.voice), one.text)) == one.sha256_samples, one.text


def test_a_changed_recording_is_noticed(kitchen: Scenario, tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    shutil.copytree(shipped_folder(), folder)
    files = sorted(folder.glob("*.flac"))
    shutil.copy(files[0], files[1])
    with pytest.raises(SpeechError, match=f"{files[1].name} is not the recording"):
        load_speech(kitchen, folder=folder)
    files[1].unlink()
    with pytest.raises(SpeechError, match=f"{files[1].name} cannot be read"):
        load_speech(kitchen, folder=folder)
    (folder / MANIFEST).write_text('{"recordings": [{}]}')
    with pytest.raises(SpeechError, match="no manifest of speech") as caught:
        load_speech(kitchen, folder=folder)
    assert "\n" not in str(caught.value)


def test_a_line_that_is_not_shipped_is_rendered_once_and_kept(
    needs: Needs, kitchen: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("flite")
    scenario, rendered = unshipped(kitchen), []

    def count(voice: Voice, text: str) -> Samples:
        rendered.append(text)
        return render(voice, text)

    monkeypatch.setattr(library, "render", count)
    first = load_speech(scenario, cache=tmp_path)
    again = load_speech(scenario, cache=tmp_path)
    assert rendered == ["Nobody shipped this."]
    for key, samples in first.items():
        np.testing.assert_array_equal(samples, again[key])
    next(tmp_path.glob("*.flac")).write_bytes(b"fLaC")  # cut off: rendered again
    for key, samples in load_speech(scenario, cache=tmp_path).items():
        np.testing.assert_array_equal(samples, first[key])
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert load_speech(scenario, cache=in_the_way).keys() == first.keys()


def test_rendering_writes_a_folder_that_loads_and_drops_what_nobody_says(
    needs: Needs, kitchen: Scenario, tmp_path: Path
) -> None:
    needs("flite")
    scenario = unshipped(kitchen)
    old = kitchen.model_copy(update={"script": (kitchen.script[0],)})
    assert len(render_into(tmp_path, old, [])) == 1
    assert len(render_into(tmp_path, scenario, [old])) == 2
    assert load_speech(old, folder=tmp_path).keys() == {old.key(old.script[0])}
    (only,) = render_into(tmp_path, scenario, [])
    assert [path.name for path in tmp_path.glob("*.flac")] == [only.file]


def test_the_kitchen_wakes_the_real_model_at_every_phase(kitchen: Scenario) -> None:
    """Where the first sample falls in a hop is chance on a real device: no phase may miss what the scenario shows."""
    mixed, scorer = mix(kitchen, load_speech(kitchen)), load_scorer("alexa")
    wakes = ("Unacceptable, for that money.", "A lecture about opening windows.")
    assert 30 < len(mixed.samples) / 16_000 < 45
    begins = [line.begin for line in mixed.truth[1:]] + [len(mixed.samples)]
    for phase in range(0, HOP, 160):
        scorer.reset()
        scores = scorer.score(np.concatenate([np.zeros(phase, np.int16), mixed.samples]))
        for line, following in zip(mixed.truth, begins, strict=True):
            peak = float(np.max(scores[(line.begin + phase) // HOP : (following + phase) // HOP]))
            if line.text in wakes:
                assert peak > THRESHOLD, (line.text, phase)
            elif line.text == "People accept it and say nothing.":
                assert peak > 0.3 or phase, "as it is shipped, this is a near miss"
                assert peak < THRESHOLD, phase
            else:
                assert peak < 0.1, (line.text, phase)


def test_after_each_wake_somebody_goes_on_talking_and_then_there_is_a_pause(kitchen: Scenario) -> None:
    truth = mix(kitchen, load_speech(kitchen)).truth
    for number in (3, 7):
        woke, private = truth[number], truth[number + 1]
        after = truth[number + 2].begin if number + 2 < len(truth) else private.end + kitchen.tail_ms * 16
        assert private.who != woke.who
        assert private.begin - woke.end < 8000  # shorter than an endpoint by silence
        assert 3 * 16_000 <= private.end - private.begin <= 5 * 16_000
        assert after - private.end >= 12_800
