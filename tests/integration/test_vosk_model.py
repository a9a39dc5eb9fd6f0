"""libvosk itself, with a model trained on the spot from rendered speech; and with the same model, broken."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.models import command, placement, pull, registry, trial
from sim.cloud.models.trainer import acoustic, train
from sim.cloud.models.trainer.corpus import Corpus, render_corpus
from sim.cloud.models.trainer.rendering import PHONES, PITCH_HZ, render
from sim.cloud.recognizer import load_recognizer
from sim.cloud.settings import EarSettings
from sim.cloud.vosk_recognizer import VoskEngine
from sim.errors import RecognizerError, VoiceError

TEMPLATES = (
    "send a message to {name}",
    "turn on the {thing}",
    "turn off the {thing} in the {room}",
    "call {name}",
    "right",
    "yes",
    "no, cancel the message",
)

SETTINGS = train.Settings(sentences=160, copies=2, passes=8, hidden=(128,), held_out=10, templates=TEMPLATES)


@dataclass(frozen=True)
class Trained:
    texts: train.Texts
    corpus: Corpus
    network: acoustic.Network
    folder: Path


@pytest.fixture(scope="session")
def trained(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    needs("flite")
    texts = train.compose_texts(SETTINGS)
    corpus = render_corpus(texts.spoken, SETTINGS.copies, SETTINGS.seed)
    folder = tmp_path_factory.mktemp("trained") / "model"
    network = acoustic.train(corpus, SETTINGS.hidden, SETTINGS.passes, np.random.default_rng(SETTINGS.seed))
    train.write_model(folder, SETTINGS, texts, corpus, network)
    return Trained(texts, corpus, network, folder)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are put in these tests, and nothing is remembered from one to the next."""
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "models" / "vosk"


@pytest.fixture
def copy(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.folder, tmp_path / "copy"))


def _spoken(trained: Trained) -> Iterator[tuple[str, np.ndarray]]:
    for text in trained.texts.held_out[:4]:
        for voice in PITCH_HZ:
            yield text, render(text, voice).samples


def test_sentences_it_was_not_trained_on_are_understood(trained: Trained) -> None:
    rates = train.error_rates(load_recognizer("vosk", trained.folder), trained.texts.held_out)
    assert rates["clean"] < 0.25
    assert rates["noise_20_db"] < 0.25


def test_phones_under_wrong_names_are_not_understood(trained: Trained, tmp_path: Path) -> None:
    """As a network trained on shuffled labels gives them; so the error rate above is not the grammar's doing."""
    names = [0, *np.random.default_rng(0).permutation(np.arange(1, len(PHONES)))]
    *hidden, last = trained.network.layers
    wrong = acoustic.Layer(last.weights[names], last.bias[names])
    network = acoustic.Network((*hidden, wrong), trained.network.priors[names])
    train.write_model(tmp_path / "wrong", SETTINGS, trained.texts, trained.corpus, network)
    rates = train.error_rates(load_recognizer("vosk", tmp_path / "wrong"), trained.texts.held_out[:4])
    assert rates["clean"] > 0.75


def test_words_come_with_their_place_and_confidence(trained: Trained) -> None:
    recognizer = load_recognizer("vosk", trained.folder)
    for _, samples in _spoken(trained):
        transcript = recognizer.transcribe(samples)
        assert transcript.recognizer == recognizer.name == "vosk"
        assert transcript.text == " ".join(word.text for word in transcript.words) != ""
        assert all(0 <= word.begin < word.end <= len(samples) for word in transcript.words)
        assert all(a.end <= b.begin for a, b in zip(transcript.words, transcript.words[1:], strict=False))
        assert all(0 < word.confidence <= 1 for word in transcript.words)


def test_a_word_is_where_flite_says_that_it_put_it(trained: Trained) -> None:
    """Within 60 ms: a decoder's step is 30 ms, and libvosk's times are wrong threefold for any other step."""
    recognizer = load_recognizer("vosk", trained.folder)
    offsets = []
    for voice in PITCH_HZ:
        spoken = render("no, cancel the message", voice)
        words = recognizer.transcribe(spoken.samples).words
        if [word.text for word in words] != ["no", "cancel", "the", "message"]:
            continue
        ends = [end for _, end in spoken.phones]
        names = [name for name, _ in spoken.phones]
        offsets += [words[0].begin - ends[0], words[0].end - ends[names.index("ow")], words[-1].end - ends[-2]]
    assert offsets
    assert np.median(np.abs(offsets)) < 960


def test_what_was_heard_before_changes_nothing(trained: Trained, copy: Path) -> None:
    """Also where Kaldi adds random noise, as most models have it do: a quiet clip, so that the noise counts."""
    conf = copy / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--dither=0", "--dither=1"))
    clips = [samples // 64 for _, samples in _spoken(trained)][:5]
    for folder in (trained.folder, copy):
        recognizer = load_recognizer("vosk", folder)
        first = [recognizer.transcribe(clip) for clip in clips]
        assert any(transcript.words for transcript in first)
        assert [recognizer.transcribe(clip) for clip in reversed(clips)] == first[::-1]
        assert [load_recognizer("vosk", folder).transcribe(clip) for clip in clips] == first


def test_the_cuts_do_not_matter_and_several_clips_may_be_open(trained: Trained, copy: Path) -> None:
    """Also where Kaldi adds random noise while another clip is being decoded."""
    conf = copy / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--dither=0", "--dither=1"))
    clips = [samples // 64 for _, samples in _spoken(trained)][:3]
    recognizer = load_recognizer("vosk", copy, EarSettings(speech_probability=0.0))
    whole = [recognizer.transcribe(clip) for clip in clips]
    assert any(transcript.words for transcript in whole)
    listening = [recognizer.listen() for _ in clips]
    for begin in range(0, max(map(len, clips)), 997):
        for one, clip in zip(listening, clips, strict=True):
            one.push(clip[begin : begin + 997])
    assert [one.finish() for one in listening] == whole


def test_it_says_what_else_it_may_have_been(trained: Trained) -> None:
    few, many, none = (load_recognizer("vosk", trained.folder, EarSettings(alternatives=n)) for n in (2, 10, 0))
    found = 0
    for _, samples in _spoken(trained):
        heard = many.transcribe(samples)
        assert len(set(heard.alternatives)) == len(heard.alternatives) <= 10
        assert heard.text not in heard.alternatives
        assert all(0 < word.confidence <= 1 for word in heard.words)
        assert few.transcribe(samples) == replace(heard, alternatives=few.transcribe(samples).alternatives)
        assert none.transcribe(samples) == replace(heard, alternatives=())
        found += len(heard.alternatives)
    assert found


@pytest.mark.parametrize("length", [0, 1, 399, 400, 1599, 1600, 4000])
def test_a_clip_that_is_too_short_is_empty(trained: Trained, length: int) -> None:
    transcript = load_recognizer("vosk", trained.folder).transcribe(np.zeros(length, np.int16))
    assert (transcript.text, transcript.words) == ("", ())


def test_a_long_clip_with_pauses_is_heard_to_its_end(trained: Trained) -> None:
    """Past an end of sentence libvosk begins anew; places must go on counting from the clip's begin."""
    line = render("call frank", "rms").samples
    pause = np.zeros(32000, np.int16)
    clip = np.concatenate([line, pause, line, pause, line])
    words = load_recognizer("vosk", trained.folder).transcribe(clip).words
    begins = [word.begin for word in words if word.text == "frank"]
    assert len(begins) == 3
    assert np.allclose(np.diff(begins), len(line) + len(pause), atol=1600)


def test_nothing_is_printed(trained: Trained, capfd: pytest.CaptureFixture[str]) -> None:
    recognizer = load_recognizer("vosk", trained.folder)
    recognizer.transcribe(np.zeros(16000, np.int16))
    assert capfd.readouterr() == ("", "")


def _zero_priors(model: Path) -> None:
    path = model / "am" / "final.mdl"
    content = path.read_bytes()
    begin = content.index(b"<Priors> FV ") + len(b"<Priors> FV ") + 5
    path.write_bytes(content[:begin] + bytes(len(content) - begin))


def _foreign_transitions(model: Path) -> None:
    """Every input label of the graph's first arcs beyond the model's last transition."""
    path = model / "graph" / "HCLG.fst"
    content = bytearray(path.read_bytes())
    position = 4 + 4 + len("vector") + 4 + len("standard") + struct.calcsize("<iiQqqq")
    while position < len(content):
        (count,) = struct.unpack_from("<q", content, position + 4)
        position += 12
        for _ in range(count):
            if struct.unpack_from("<i", content, position)[0]:
                struct.pack_into("<i", content, position, 1_000_000)
            position += 16
    path.write_bytes(content)


def _other_features(model: Path) -> None:
    conf = model / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("num-ceps=40", "num-ceps=13"))


def _unknown_option(model: Path) -> None:
    with (model / "conf" / "model.conf").open("a") as file:
        file.write("--beems=13\n")


def _no_words(model: Path) -> None:
    (model / "graph" / "words.txt").unlink()


def _empty_network(model: Path) -> None:
    (model / "am" / "final.mdl").write_bytes(b"")


def _no_graph_at_all(model: Path) -> None:
    (model / "graph" / "HCLG.fst").write_bytes(b"no graph at all")


def _short_network(model: Path) -> None:
    os.truncate(model / "am" / "final.mdl", 50_000)


def _short_graph(model: Path) -> None:
    os.truncate(model / "graph" / "HCLG.fst", 5_000)


@pytest.mark.parametrize(
    "spoil",
    [
        _zero_priors,
        _foreign_transitions,
        _other_features,
        _unknown_option,
        _no_words,
        _empty_network,
        _no_graph_at_all,
        _short_network,
        _short_graph,
    ],
)
def test_a_broken_model_is_one_sentence_and_never_an_abort(copy: Path, spoil: Callable[[Path], object]) -> None:
    spoil(copy)
    with pytest.raises(RecognizerError) as raised:
        load_recognizer("vosk", copy)
    sentence = str(raised.value)
    assert sentence.startswith(f"the Vosk model {copy} does not work: ")
    assert sentence.endswith(registry.MEND)
    assert "\n" not in sentence
    assert "Traceback" not in sentence


def test_a_model_is_tried_out_once_and_again_when_it_changes(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []
    real = trial._try

    def count(folder: Path, called: object) -> None:
        tried.append(folder)
        real(folder, called)

    monkeypatch.setattr(trial, "_try", count)
    VoskEngine(copy)
    VoskEngine(copy)
    assert tried == [copy]
    with (copy / "graph" / "words.txt").open("a") as file:
        file.write("more 9999\n")
    VoskEngine(copy)
    assert tried == [copy, copy]


def test_an_imported_model_is_preferred_to_one_trained_here(trained: Trained, copy: Path, models: Path) -> None:
    with placement.staging() as stage:
        moved = Path(shutil.copytree(trained.folder, stage / "m"))
        own = placement.place(moved, registry.TRAINED, {"origin": "trained"}, called="own")
    assert registry.find() == own
    assert load_recognizer().name == "pocketsphinx", "auto leaves the small one alone"
    renamed = copy.rename(copy.parent / "zulu")
    theirs = placement.import_model(renamed)
    assert theirs == models / "zulu"
    assert [model.name for model in registry.installed()] == ["zulu", registry.TRAINED]
    assert registry.find() == theirs
    assert load_recognizer().name == "vosk"
    assert renamed.is_dir()
    assert sorted(path.name for path in models.iterdir()) == [registry.TRAINED, "zulu"]


def test_a_zip_is_imported_by_the_name_of_its_folder_or_its_own(copy: Path, models: Path, tmp_path: Path) -> None:
    inner = copy.rename(copy.parent / "inner-name")
    nested = shutil.make_archive(str(tmp_path / "nested"), "zip", root_dir=inner.parent, base_dir="inner-name")
    flat = shutil.make_archive(str(tmp_path / "flat"), "zip", root_dir=inner)
    assert placement.import_model(Path(nested)) == models / "inner-name"
    assert placement.import_model(Path(flat)) == models / "flat"
    facts = registry.manifest(models / "flat")
    assert facts["origin"] == "imported"
    assert facts["content_sha256"] == registry.content_hash(inner)
    assert load_recognizer().transcribe(np.zeros(0, np.int16)).recognizer == "vosk"


def test_a_model_is_pulled_over_a_real_connection(
    copy: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command, with a pin that fits the zip that is served."""
    archive = Path(shutil.make_archive(str(tmp_path / "site" / "tiny-0.1"), "zip", root_dir=copy))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(pull, "SMALL_ENGLISH", pull.Archive("https://unused", archive.stat().st_size, digest))
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))
    handler = partial(SimpleHTTPRequestHandler, directory=archive.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/tiny-0.1.zip"
        args = parser.parse_args(["models", "pull", "vosk", "--url", url])
        try:
            assert args.run(args) == 0
        finally:
            server.shutdown()
            thread.join()
    assert str(models / "tiny-0.1") in capsys.readouterr().out
    facts = registry.manifest(models / "tiny-0.1")
    assert (facts["origin"], facts["url"], facts["archive_sha256"]) == ("pulled", url, digest)
    assert load_recognizer().name == "vosk"
    args = parser.parse_args(["models", "list", "--json"])
    assert args.run(args) == 0
    vosk = [entry for entry in json.loads(capsys.readouterr().out) if entry["kind"] == "vosk"]
    assert [(entry["name"], entry["used"], entry["sha256"]) for entry in vosk] == [
        ("tiny-0.1", True, registry.content_hash(copy))
    ]


def test_a_model_that_does_not_work_leaves_the_one_before_it_in_place(copy: Path, models: Path) -> None:
    placement.import_model(copy)
    before = registry.content_hash(models / "copy")
    _zero_priors(copy)
    with pytest.raises(RecognizerError, match=f"the Vosk model {copy} does not work"):
        placement.import_model(copy)
    assert registry.content_hash(models / "copy") == before
    assert [path.name for path in models.iterdir()] == ["copy"]


def test_the_whole_training_places_a_model_the_same_bytes_each_time(needs: Callable[[str], str], models: Path) -> None:
    needs("flite")
    settings = train.Settings(sentences=16, copies=1, passes=1, hidden=(16,), held_out=1, templates=TEMPLATES)
    told: dict[str, float] = {}

    def progress(stage: str, share: float) -> None:
        told[stage] = told.get(stage, 0.0) + share

    folder = train.train_model(settings, progress)
    assert folder == models / registry.TRAINED
    assert told == pytest.approx({"speaking": 1.0, "training": 1.0, "testing": 1.0})
    facts = registry.manifest(folder)
    assert facts["origin"] == "trained"
    assert set(facts["held_out_word_error_rate"]) == {"clean", "noise_20_db"}  # type: ignore[call-overload]
    assert registry.manifest(train.train_model(settings)) == facts
    assert registry.manifest(train.train_model(replace(settings, seed=2)))["corpus_sha256"] != facts["corpus_sha256"]


def test_without_flite_training_says_what_to_install(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(VoiceError, match="apt-get install flite"):
        train.train_model(train.Settings(sentences=4))
    assert list(models.iterdir()) == []
