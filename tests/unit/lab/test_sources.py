from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import LabError
from sim.lab.sources import clips_of, manifest_of, shipped_texts, stream_of
from tests.lab_kit import OTHER, SAYS, folder_of, speech, write

FLITE = ("flite:slt",)


def test_a_folder_says_who_speaks_by_its_own_folders(tmp_path: Path) -> None:
    folder_of(tmp_path / "ann", SAYS[0])
    folder_of(tmp_path, SAYS[1])
    (tmp_path / "notes.md").write_text("no sound")
    found = clips_of(str(tmp_path), True, "alexa", FLITE)
    assert [(clip.voice, clip.words) for clip in found] == [("ann", None), ("", None)]
    assert [clip.words for clip in clips_of(str(tmp_path), False, "alexa", FLITE)] == [(), ()]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_an_audio_folder_says_where_the_words_are(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path, SAYS[0], OTHER[0])
    text = {
        "metadata.csv": f"file_name,word_begin_s,word_end_s,voice\n{SAYS[0]}.flac,0.1,0.6,slt\n"
        f"{SAYS[0]}.flac,0.8,1.2,slt\n"
        f"{OTHER[0]}.flac,,,ann\n",
        "metadata.jsonl": f'{{"file_name": "{SAYS[0]}.flac", "word_begin_s": 0.1, "word_end_s": 0.6, "voice": "slt"}}\n'
        f'{{"file_name": "{SAYS[0]}.flac", "word_begin_s": 0.8, "word_end_s": 1.2}}\n'
        f'{{"file_name": "{OTHER[0]}.flac", "voice": "ann"}}\n',
    }[name]
    (tmp_path / name).write_text(text)
    first, second = clips_of(str(tmp_path), True, "alexa", FLITE)
    assert (first.voice, first.words) == ("slt", ((1600, 9600), (12_800, 19_200)))
    assert (second.voice, second.words) == ("ann", None)
    assert sum(map(len, first.chunks())) == len(speech(SAYS[0]))


@pytest.mark.parametrize(
    ("rows", "positive", "told"),
    [
        ("name\nx.flac\n", True, "has no column file_name"),
        ("file_name\nx.flac\n", True, "line 2: .*x.flac is not there"),
        ("file_name\nA\nA\n", True, "line 3: A is there already, in line 2"),
        ("file_name,word_begin_s,word_end_s\nA,0.5,0.2\n", True, "line 2: a word cannot be from 0.5 to 0.2 s"),
        ("file_name,word_begin_s,word_end_s\nA,x,0.2\n", True, "line 2: a word is from 'x' to '0.2' s"),
        ("file_name,word_begin_s,word_end_s\nA,0.1,0.2\n", False, "line 2: A has a wake word, and is among"),
        ("file_name\n", True, "names no sound"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, rows: str, positive: bool, told: str) -> None:
    folder_of(tmp_path, SAYS[0])
    (tmp_path / "metadata.csv").write_text(rows.replace("A", f"{SAYS[0]}.flac"))
    with pytest.raises(LabError, match=told.replace("A", f"{SAYS[0]}.flac") if "A" in told else told):
        clips_of(str(tmp_path), positive, "alexa", FLITE)


def test_a_stream_has_its_words_beside_it(tmp_path: Path) -> None:
    sound = write(tmp_path / "mixed.wav", speech(SAYS[0]))
    (tmp_path / "mixed.txt").write_text("0.70, 1.20\n\n0.00, 0.50\n")  # as a mixer may write them
    assert stream_of(str(sound)).words == ((0, 8000), (11_200, 19_200))
    (tmp_path / "mixed.txt").write_text("0.70\n")
    with pytest.raises(LabError, match=r"mixed.txt, line 1: a word is from '0.70' to '' s"):
        stream_of(str(sound))
    (tmp_path / "mixed.txt").unlink()
    with pytest.raises(LabError, match="with its labels beside it"):
        stream_of(str(sound))


def test_a_microwakeword_manifest_names_both(tmp_path: Path) -> None:
    folder_of(tmp_path / "alexa", *SAYS)
    folder_of(tmp_path / "talk", *OTHER)
    manifest = tmp_path / "training_parameters.yaml"
    manifest.write_text(
        "features:\n- {features_dir: alexa, input_glob: 'rms*.flac', truth: true, type: clips, sampling_weight: 0.5}\n"
        "- {features_dir: talk, truth: false, type: clips}\n"
    )
    assert [clip.words for clip in manifest_of(manifest)] == [None, None, (), ()]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "features:\n- {features_dir: a, truth: true, type: mmap}\n",
            "features 1: mmap holds spectrograms and no sound",
        ),
        ("features:\n- {features_dir: a, type: clips}\n", "needs features_dir and truth"),
        ("features:\n- {features_dir: a, truth: true, type: clips}\n", "is no folder that is there"),
        ("batch_size: 3\n", "has no list called features"),
        ("a: [\n", "cannot be read as YAML"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(LabError, match=told):
        manifest_of(tmp_path / "m.yaml")


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"the texts that ship are .*ordinary-talk"):
        clips_of(str(tmp_path / "gone"), True, "alexa", FLITE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabError, match="holds no sound"):
        clips_of(str(tmp_path / "empty"), True, "alexa", FLITE)


def test_a_text_is_spoken_with_its_words_in_place(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("flite")
    text = tmp_path / "said.txt"
    text.write_text("# remark\nAlexa, what time is it?\nWell. Alexa, stop.\n")
    first, second = clips_of(str(text), True, "alexa", ("flite:slt",))
    assert first.read_out
    assert (first.where, second.where) == (f"{text}, line 2", f"{text}, line 3")
    assert first.words is not None
    assert second.words is not None
    ((begin, end),), ((later, _),) = first.words, second.words
    assert begin < 3200
    assert 4000 < end - begin < 16_000
    assert later > 5000


def test_a_text_is_what_it_is_said_to_be(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("flite")
    text = tmp_path / "said.txt"
    text.write_text("What time is it?\n\nAlexa, stop.\nGo on.\n")
    with pytest.raises(LabError, match=r"said.txt, line 1: .* does not say alexa"):
        clips_of(str(text), True, "alexa", FLITE)
    with pytest.raises(LabError, match=r"said.txt, line 3: .* says alexa"):
        clips_of(str(text), False, "alexa", FLITE)
    (paragraph, other) = clips_of(str(text), False, "computer", FLITE)
    assert (paragraph.text, other.text) == ("What time is it?", "Alexa, stop. Go on.")
    with pytest.raises(LabError, match="--voice: a voice is engine:name"):
        clips_of(str(text), False, "computer", ("slt",))


@pytest.mark.parametrize("name", ["alexa", "ordinary-talk"])
def test_the_texts_that_ship_are_what_they_say(name: str) -> None:
    lines = [line for line in shipped_texts()[name].read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len(lines) >= 20
    assert all(("alexa" in line.lower()) == (name == "alexa") for line in lines)
