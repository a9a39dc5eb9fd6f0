"""From sentences to a model folder: renders, trains, writes, and lets libvosk itself say how good it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sim.cloud.models import placement, registry
from sim.cloud.models.trainer import acoustic, features, graph, kaldi_format, lexicon, phones
from sim.cloud.models.trainer.corpus import Corpus, add_noise, render_corpus
from sim.cloud.models.trainer.rendering import PITCH_HZ, render
from sim.cloud.models.trainer.sentences import TEMPLATES, compose, vocabulary, words_of
from sim.cloud.models.trainer.word_errors import word_errors
from sim.cloud.recognizer import Recognizer, load_recognizer

Progress = Callable[[str, float], object]
"""Told the stage that runs and the share of it, 0 to 1, done since it was last called."""

MODEL_CONF = f"""\
--min-active=200
--max-active=3000
--beam=13.0
--lattice-beam=4.0
--acoustic-scale=0.3
--frame-subsampling-factor={phones.STEP}
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""
"""``conf/model.conf``. The acoustic scale was the best of 0.2 to 0.6 on held-out sentences. A wider lattice heard
nothing better, and takes seconds a clip where the network is at a loss."""


@dataclass(frozen=True)
class Settings:
    """How much to train. ``sentences`` are each rendered once and spoiled in ``copies`` ways."""

    sentences: int = 1000
    copies: int = 2
    passes: int = 4
    hidden: tuple[int, ...] = (320, 320)
    held_out: int = 60
    templates: tuple[str, ...] = TEMPLATES
    seed: int = 1


@dataclass(frozen=True)
class Texts:
    """``spoken``: trained on; ``written``: only for which word follows which; ``held_out``: in neither."""

    spoken: tuple[str, ...]
    written: tuple[str, ...]
    held_out: tuple[str, ...]


def train_model(settings: Settings, progress: Progress = lambda _stage, _share: None) -> Path:
    """Train the model called `registry.TRAINED` and place it among the models; returns its folder.

    The same settings give the same bytes on the same machine. Raises VoiceError without flite, RecognizerError or
    SimError if another part is missing.
    """
    with placement.staging() as stage:
        folder = stage / "model"
        texts = compose_texts(settings)
        corpus = render_corpus(
            texts.spoken, settings.copies, settings.seed, lambda: progress("speaking", 1 / len(texts.spoken))
        )
        network = acoustic.train(
            corpus,
            settings.hidden,
            settings.passes,
            np.random.default_rng(settings.seed),
            lambda share: progress("training", share),
        )
        write_model(folder, settings, texts, corpus, network)
        rates = error_rates(load_recognizer("vosk", folder), texts.held_out, lambda share: progress("testing", share))
        facts = {
            "origin": "trained",
            **{name: value for name, value in asdict(settings).items() if name != "templates"},
            "words": len(vocabulary(settings.templates)),
            "corpus_sha256": hashlib.sha256(corpus.frames.tobytes() + corpus.labels.tobytes()).hexdigest(),
            "held_out_word_error_rate": rates,
        }
        return placement.place(folder, registry.TRAINED, facts, called="just trained")


def compose_texts(settings: Settings) -> Texts:
    """The texts that the settings ask for."""
    rng = np.random.default_rng([settings.seed, 0])
    spoken = compose(rng, settings.sentences, settings.templates)
    others = [text for text in compose(rng, 4 * settings.sentences, settings.templates) if text not in spoken]
    held_out = tuple(dict.fromkeys(others))[: settings.held_out]
    written = tuple(text for text in others if text not in held_out)
    return Texts(tuple(spoken), written, held_out)


def write_model(folder: Path, settings: Settings, texts: Texts, corpus: Corpus, network: acoustic.Network) -> None:
    """Write everything that libvosk wants into a new folder."""
    words = lexicon.pronounce(vocabulary(settings.templates))
    placed = phones.place_phones(corpus)
    told = [words_of(text) for text in (*texts.spoken, *texts.written)]
    files: dict[str, bytes | str] = {
        "am/final.mdl": kaldi_format.final_mdl(network, placed),
        "conf/mfcc.conf": features.MFCC_CONF,
        "conf/model.conf": MODEL_CONF,
        "graph/HCLG.fst": kaldi_format.vector_fst(graph.build(words, told, placed)),
        "graph/words.txt": graph.words_txt(words),
        "graph/phones/word_boundary.int": phones.word_boundary_int(placed),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def error_rates(
    recognizer: Recognizer, texts: Sequence[str], advance: Callable[[float], object] = lambda _share: None
) -> dict[str, float]:
    """Word errors per word spoken, over each text in each voice: clean, and with noise 20 dB below the speech."""
    errors, spoken = {"clean": 0, "noise_20_db": 0}, 0
    for number, text in enumerate(texts):
        reference = words_of(text)
        for voice in PITCH_HZ:
            clean = render(text, voice).samples
            noisy = add_noise(clean, 20.0, np.random.default_rng(number))
            spoken += len(reference)
            for condition, samples in (("clean", clean), ("noise_20_db", noisy)):
                errors[condition] += word_errors(reference, recognizer.transcribe(samples).text.split())
        advance(1 / len(texts))
    return {condition: round(count / spoken, 4) for condition, count in errors.items()}
