from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud.models import registry
from sim.cloud.recognizer import Recognizer, load_recognizer
from sim.cloud.settings import EarSettings
from sim.errors import RecognizerError
from sim.speech.voices import Voice, render

RATE = 16_000


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path))
    return tmp_path / "vosk"


@pytest.fixture(scope="module")
def sphinx() -> Recognizer:
    return load_recognizer("pocketsphinx")


@pytest.fixture(scope="module")
def clips(needs: Callable[[str], str]) -> list[NDArray[np.int16]]:
    needs("flite")
    lines = (("flite:rms", "Send a message to Frank."), ("flite:slt", "Turn on the lights."), ("flite:rms", "Yes."))
    spoken = [render(Voice.parse(voice), text) for voice, text in lines]
    return [np.pad(samples, RATE // 2) for samples in spoken]


def test_auto_is_pocketsphinx_where_vosk_has_no_model() -> None:
    assert load_recognizer().name == "pocketsphinx"


def test_auto_leaves_a_model_of_few_words_to_those_who_ask_for_it(models: Path) -> None:
    small = models / registry.TRAINED
    small.mkdir(parents=True)
    (small / registry.MANIFEST).write_text('{"origin": "trained"}')
    assert load_recognizer().name == "pocketsphinx"
    with pytest.raises(RecognizerError, match=f"{registry.TRAINED} is no complete Vosk model"):
        load_recognizer("vosk")


def test_vosk_without_a_model_names_the_commands_that_get_one(models: Path) -> None:
    with pytest.raises(RecognizerError) as raised:
        load_recognizer("vosk")
    assert str(raised.value) == f"there is no Vosk model in {models}; {registry.MEND}"


@pytest.mark.parametrize("name", ["auto", "vosk"])
def test_a_model_that_is_not_complete_is_not_passed_over(models: Path, name: str) -> None:
    (models / "half" / "am").mkdir(parents=True)
    (models / "half" / "am" / "final.mdl").touch()
    with pytest.raises(RecognizerError, match=r"half is no complete Vosk model, it lacks conf/model\.conf, conf/mfcc"):
        load_recognizer(name)


def test_a_model_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=f"there is no folder {tmp_path / 'gone'} with a Vosk model"):
        load_recognizer(model=tmp_path / "gone")


def test_pocketsphinx_takes_no_model(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="carries its own model"):
        load_recognizer("pocketsphinx", tmp_path)


def test_an_unknown_recognizer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecognizerError, match="no recognizer 'whisper'; choose auto, vosk, pocketsphinx or none"):
        load_recognizer("whisper")


@pytest.mark.parametrize(("name", "package"), [("vosk", "vosk"), ("pocketsphinx", "pocketsphinx")])
def test_a_package_that_is_missing_is_named(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("am/final.mdl", "conf/model.conf", "conf/mfcc.conf", "graph/HCLG.fst"):
        (tmp_path / "m" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / file).touch()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RecognizerError, match=f"pip install {package}"):
        load_recognizer(name, tmp_path / "m" if name == "vosk" else None)


def test_pocketsphinx_hears_words_where_they_are(sphinx: Recognizer, clips: list[NDArray[np.int16]]) -> None:
    transcript = sphinx.transcribe(clips[0])
    assert transcript.recognizer == "pocketsphinx"
    assert {"message", "to", "frank"} <= set(transcript.text.split())
    assert transcript.text == " ".join(word.text for word in transcript.words)
    assert all(word.text.isalpha() for word in transcript.words)  # no <s>, [NOISE] or message(2)
    assert all(0 < word.confidence <= 1 for word in transcript.words)
    assert all(a.end <= b.begin for a, b in zip(transcript.words, transcript.words[1:], strict=False))
    speech = np.flatnonzero(np.abs(clips[0]) > 500)
    assert abs(transcript.words[0].begin - speech[0]) < RATE // 5
    assert abs(transcript.words[-1].end - speech[-1]) < RATE // 5


def test_pocketsphinx_hears_the_same_whatever_it_heard_before(
    sphinx: Recognizer, clips: list[NDArray[np.int16]]
) -> None:
    fresh = [load_recognizer("pocketsphinx").transcribe(clip) for clip in clips]
    assert [sphinx.transcribe(clip) for clip in reversed(clips)] == fresh[::-1]
    noise = (np.random.default_rng(0).standard_normal(RATE) * 3000).astype(np.int16)
    sphinx.transcribe(noise)
    assert [sphinx.transcribe(clip) for clip in clips] == fresh


def test_the_cuts_do_not_matter_and_several_clips_may_be_open(
    sphinx: Recognizer, clips: list[NDArray[np.int16]]
) -> None:
    whole = [sphinx.transcribe(clip) for clip in clips]
    assert all(transcript.words for transcript in whole)
    open_ones = [sphinx.listen() for _ in clips]
    for begin in range(0, max(map(len, clips)), 997):
        for listening, clip in zip(open_ones, clips, strict=True):
            listening.push(clip[begin : begin + 997])
    assert [listening.finish() for listening in open_ones] == whole


def test_pocketsphinx_says_what_else_it_may_have_been(sphinx: Recognizer, clips: list[NDArray[np.int16]]) -> None:
    heard = sphinx.transcribe(clips[0])
    assert len(set(heard.alternatives)) == len(heard.alternatives) == EarSettings().alternatives
    assert heard.text not in heard.alternatives
    assert all(text.replace(" ", "").replace("'", "").isalpha() for text in heard.alternatives)


def test_pocketsphinx_is_less_sure_of_words_in_noise(sphinx: Recognizer, clips: list[NDArray[np.int16]]) -> None:
    def sure(clip: NDArray[np.int16]) -> float:
        return float(np.mean([word.confidence for word in sphinx.transcribe(clip).words]))

    noise = np.random.default_rng(2).standard_normal(len(clips[0])) * 600
    assert sure((clips[0] + noise).clip(-32768, 32767).astype(np.int16)) < sure(clips[0]) < 1


@pytest.mark.parametrize("level", [0, 100, 3000])
def test_pocketsphinx_hears_no_words_in_silence_and_noise(sphinx: Recognizer, level: int) -> None:
    noise = (np.random.default_rng(3).standard_normal(5 * RATE) * level).clip(-32768, 32767).astype(np.int16)
    heard = sphinx.transcribe(noise)
    assert (heard.text, heard.words, heard.alternatives) == ("", (), ())


def test_none_hears_nothing_and_takes_no_model(clips: list[NDArray[np.int16]], tmp_path: Path) -> None:
    assert load_recognizer("none").transcribe(clips[0]).text == ""
    with pytest.raises(RecognizerError, match="hears nothing and cannot use"):
        load_recognizer("none", tmp_path)


@pytest.mark.parametrize("length", [0, 1, 160, 410, 1599, 1600])
def test_pocketsphinx_hears_nothing_in_a_clip_that_is_too_short(
    sphinx: Recognizer, clips: list[NDArray[np.int16]], length: int
) -> None:
    before = sphinx.transcribe(clips[2])
    assert sphinx.transcribe(np.zeros(length, np.int16)).words == ()
    assert sphinx.transcribe(clips[2]) == before


def test_pocketsphinx_prints_nothing(
    clips: list[NDArray[np.int16]], capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    load_recognizer("pocketsphinx").transcribe(clips[2])
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
