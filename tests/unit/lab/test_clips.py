from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import LabError
from sim.lab.clips import Clip, LeftOut, Loaded, load, recorded
from tests.lab_kit import OTHER, SAYS, pink, speech, write
from wakeword.sound import RATE


@pytest.fixture
def alexa(tmp_path: Path) -> Clip:
    return recorded(write(tmp_path / "alexa.flac", speech(SAYS[0])), "alexa", None)


def test_a_word_without_speech_a_broken_file_and_a_double_are_left_out_and_named(alexa: Clip, tmp_path: Path) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes((tmp_path / "alexa.flac").read_bytes()[:3000])
    clips = [
        alexa,
        recorded(write(tmp_path / "noise.wav", pink(1.0)), "noise", None),
        recorded(broken, "broken", None),
        replace(alexa, name="again"),
        recorded(tmp_path / "gone.wav", "gone", ()),
        recorded(write(tmp_path / "quiet.wav", np.zeros(RATE, np.int16)), "quiet", ()),
    ]
    found = {each.clip if isinstance(each, LeftOut) else each.clip.name: each for each in load(clips)}
    assert isinstance(found["alexa"], Loaded)
    assert isinstance(found["quiet"], Loaded)  # silence is a fair negative
    told = {name: each.why for name, each in found.items() if isinstance(each, LeftOut)}
    assert told.keys() == {"noise", "broken", "again", "gone"}
    assert "holds no speech" in told["noise"]
    assert "damaged" in told["broken"] or "cannot be read" in told["broken"]
    assert told["again"] == "the same sound as alexa"
    assert "is not a file that is there" in told["gone"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"words": ((0, 10 * RATE),)}, "lies outside alexa, which is 1.49 s long"),
        ({"words": ((100, 50),)}, "must end after it begins"),
        ({"words": ((0, 900), (500, 1200))}, "in order and not overlap"),
    ],
)
def test_labels_that_cannot_be_are_refused(
    alexa: Clip, change: dict[str, tuple[tuple[int, int], ...]], told: str
) -> None:
    with pytest.raises(LabError, match=told):
        list(load([replace(alexa, words=change["words"])]))


def test_the_same_sound_cannot_be_both(alexa: Clip) -> None:
    with pytest.raises(LabError, match="once with the wake word and once without"):
        list(load([alexa, replace(alexa, name="other", words=())]))
    with pytest.raises(LabError, match="is in the set twice"):
        list(load([alexa, alexa]))


def test_hours_without_the_word_leave_out_where_it_may_be_answered(tmp_path: Path) -> None:
    sound = np.concatenate([speech(OTHER[1]), speech(SAYS[0]), np.zeros(3 * RATE, np.int16)])
    clip = recorded(write(tmp_path / "long.flac", sound), "long", ((20_000, 30_000),))
    (found,) = load([clip])
    assert isinstance(found, Loaded)
    assert found.silent_hours == pytest.approx((len(sound) - 10_000 - RATE) / RATE / 3600)
    (unlabelled,) = load([replace(clip, words=None)])
    assert isinstance(unlabelled, Loaded)
    assert (unlabelled.silent_hours, unlabelled.words) == (0.0, 1)
