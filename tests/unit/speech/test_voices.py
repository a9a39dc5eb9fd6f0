from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest

from sim.errors import VoiceError
from sim.speech import voices
from sim.speech.voices import MARGIN, QUIET, Voice, render, renderer

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
    assert renderer(Voice.parse(voice).engine).startswith(part)


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


def test_saying_nothing_is_an_error(needs: Needs) -> None:
    needs("espeak-ng")
    with pytest.raises(VoiceError, match="says nothing"):
        render(Voice.parse("espeak:en"), "...")


@pytest.mark.parametrize(("engine", "command"), [("flite", "apt-get install flite"), ("espeak", "espeakng-loader")])
def test_an_engine_that_is_not_installed_is_named_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, engine: str, command: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    monkeypatch.setattr(voices.importlib.util, "find_spec", lambda _: None)  # type: ignore[attr-defined]
    with pytest.raises(VoiceError, match=f"{engine} is not installed.*{command}"):
        render(Voice(engine, "any"), "Hello.")


@pytest.mark.parametrize("text", ["slt", "flite:", "festival:kal", "flite:../slt", "flite:s lt", ""])
def test_what_is_no_voice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a voice is engine:name"):
        Voice.parse(text)
