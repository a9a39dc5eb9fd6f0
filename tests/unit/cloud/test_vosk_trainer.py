"""The parts of the trainer that need no flite and no libvosk."""

from __future__ import annotations

import math
import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cloud.models.trainer import acoustic, features, graph, kaldi_format, phones, sentences
from sim.cloud.models.trainer.acoustic import Layer
from sim.cloud.models.trainer.corpus import CONTEXT, Corpus, _labelled, add_noise, resample, spoil
from sim.cloud.models.trainer.rendering import PHONES, Rendering
from sim.cloud.models.trainer.word_errors import word_errors
from sim.errors import SimError

WORDS = st.lists(st.sampled_from("abc"), max_size=6)


@given(WORDS, WORDS, WORDS)
def test_word_errors_are_a_distance(one: list[str], two: list[str], three: list[str]) -> None:
    assert (word_errors(one, two) == 0) == (one == two)
    assert word_errors(one, two) == word_errors(two, one)
    assert word_errors(one, three) <= word_errors(one, two) + word_errors(two, three)
    assert abs(len(one) - len(two)) <= word_errors(one, two) <= max(len(one), len(two))


def test_word_errors_count_each_kind() -> None:
    assert word_errors(list("abcd"), list("acxe")) == 3


def test_sentences_use_each_template_and_word_and_know_them() -> None:
    texts = sentences.compose(np.random.default_rng(0), 1200)
    said = {word for text in texts for word in sentences.words_of(text)}
    assert said == set(sentences.vocabulary())
    assert 170 <= len(said) <= 300
    assert not any("{" in text for text in texts)
    assert texts == sentences.compose(np.random.default_rng(0), 1200)
    assert texts != sentences.compose(np.random.default_rng(1), 1200)


def chirp(size: int = 16000) -> Rendering:
    """Silence, a tone of 500 Hz, silence."""
    tone = 8000 * np.sin(2 * np.pi * 500 / 16000 * np.arange(size // 2))
    samples = np.concatenate([np.zeros(size // 4), tone, np.zeros(size // 4)]).astype(np.int16)
    return Rendering(samples, (("pau", size // 4), ("aa", 3 * size // 4), ("pau", size)))


def test_labels_follow_the_sound_through_spoiling() -> None:
    """Frames labelled as the tone are those that are loud, whatever was done to it."""
    for seed in range(8):
        spoiled = spoil(chirp(), np.random.default_rng(seed))
        assert spoiled.phones[-1][1] == len(spoiled.samples)
        frames, labels = _labelled(spoiled)
        assert len(frames) == len(labels)
        assert (labels[:CONTEXT] == -1).all()
        assert (labels[-CONTEXT:] == -1).all()
        energy = frames[:, 0]  # the first cepstral coefficient is the mean of the log energies
        tone = PHONES.index("aa")
        (begin, *_), (*_, end) = [np.flatnonzero(labels == tone)] * 2
        assert energy[begin + 3] > energy[begin - 4]
        assert energy[end - 3] > energy[CONTEXT : begin - 3].mean()
        assert set(labels[CONTEXT:-CONTEXT]) == {0, tone}


@given(st.integers(800, 1300))
def test_resampling_keeps_a_tone_and_its_level(size: int) -> None:
    tone = np.sin(2 * np.pi * 50 / 1000 * np.arange(1000))
    out = resample(tone, size)
    assert np.allclose(out, np.sin(2 * np.pi * 50 / size * np.arange(size)), atol=1e-9)


def test_noise_has_the_level_that_is_asked_for() -> None:
    clean = chirp(160_000).samples
    noise = add_noise(clean, 10.0, np.random.default_rng(0)).astype(float) - clean
    assert 10 * math.log10(np.mean(clean.astype(float) ** 2) / np.mean(noise**2)) == pytest.approx(10.0, abs=0.05)


def test_features_are_those_that_the_configuration_names() -> None:
    frames = features.mfcc(chirp().samples)
    assert frames.shape == ((16000 - 400) // 160 + 1, 40)
    assert f"--num-ceps={frames.shape[1]}" in features.MFCC_CONF
    assert "--dither=0" in features.MFCC_CONF


def test_without_its_feature_library_training_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaldi_native_fbank", None)
    with pytest.raises(SimError, match="pip install kaldi-native-fbank"):
        features.mfcc(chirp().samples)


def toy_corpus() -> Corpus:
    """Two phones that differ in the sign of the first coefficient, far from zero mean and unit variance."""
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.integers(0, 2, 200), 20).astype(np.int8)
    frames = rng.standard_normal((len(labels), 40)).astype(np.float32)
    frames[:, 0] += 4 * (labels - 0.5)
    frames = frames * 7 + 30
    labels[:CONTEXT] = labels[-CONTEXT:] = -1
    return Corpus(frames.astype(np.float32), labels)


def test_slopes_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((5, 6)), rng.standard_normal((3, 5))]
    biases = [rng.standard_normal(5), rng.standard_normal(3)]
    x, labels = rng.standard_normal((7, 6)), rng.integers(0, 3, 7).astype(np.int8)

    def loss() -> float:
        hidden = np.maximum(x @ weights[0].T + biases[0], 0)
        scores = hidden @ weights[1].T + biases[1]
        return float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(7), labels]).mean())

    parameters = [*weights, *biases]
    for parameter, slope in zip(parameters, acoustic._gradients(weights, biases, x, labels), strict=True):  # type: ignore[arg-type]
        for index in np.ndindex(parameter.shape):
            parameter[index] += 1e-6
            above = loss()
            parameter[index] -= 2e-6
            assert slope[index] == pytest.approx((above - loss()) / 2e-6, abs=1e-5)
            parameter[index] += 1e-6


def test_training_learns_and_reads_frames_as_they_come() -> None:
    corpus = toy_corpus()
    shares: list[float] = []
    network = acoustic.train(corpus, (16,), 60, np.random.default_rng(0), shares.append)
    assert sum(shares) == pytest.approx(1.0)
    targets = np.flatnonzero(corpus.labels >= 0)
    x = acoustic._windows(corpus.frames, targets)
    hidden = np.maximum(x @ network.layers[0].weights.T + network.layers[0].bias, 0)
    scores = hidden @ network.layers[1].weights.T + network.layers[1].bias
    assert (scores.argmax(axis=1) == corpus.labels[targets]).mean() > 0.95
    assert network.priors.sum() == pytest.approx(1.0, abs=1e-5)
    assert network.priors.min() > 0
    again = acoustic.train(corpus, (16,), 60, np.random.default_rng(0))
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(network.layers, again.layers, strict=True))


def toy_phones() -> tuple[phones.Phone, ...]:
    frames = np.zeros((90, 40), np.float32)
    labels = np.array([0] * 30 + [PHONES.index("aa")] * 18 + [PHONES.index("t")] * 12 + [0] * 30, np.int8)
    return phones.place_phones(Corpus(frames, labels))


def test_a_phone_lasts_as_long_as_in_the_corpus() -> None:
    stay = {phone.name: phone.stay for phone in toy_phones()}
    assert 1 / (1 - stay["aa"]) == pytest.approx(18 / phones.STEP)
    assert 1 / (1 - stay["t"]) == pytest.approx(12 / phones.STEP)
    assert 1 / (1 - stay["pau"]) == pytest.approx(30 / phones.STEP)
    assert all(0 < share < 1 for share in stay.values())


def test_each_phone_stands_at_each_place_and_silence_first() -> None:
    placed = toy_phones()
    assert (placed[0].name, placed[0].place, placed[0].output) == ("pau", "nonword", 0)
    assert len(placed) == 1 + 4 * (len(PHONES) - 1)
    assert phones.word_boundary_int(placed).splitlines()[:3] == ["1 nonword", "2 begin", "3 end"]
    assert list(phones.places(1)) == ["singleton"]
    assert list(phones.places(4)) == ["begin", "internal", "internal", "end"]


LEXICON = {"at": (("aa", "t"),), "ta": (("t", "aa"), ("t",))}
SPOKEN = [["at", "ta"], ["at"], ["at", "ta", "ta"]]


def cost_of(made: graph.Graph, words: list[int], steps: int) -> float:
    """The least cost of a way of at most so many steps that gives these words: an exhaustive search."""
    best = math.inf
    waiting = {(made.start, 0): 0.0}
    for _ in range(steps):
        # Arcs without a label take no step; there are no circles of them.
        front = dict(waiting)
        while front:
            ahead: dict[tuple[int, int], float] = {}
            for (state, done), cost in front.items():
                for arc in made.arcs[state]:
                    if arc.label == 0 and cost + arc.cost < waiting.get((arc.target, done), math.inf):
                        ahead[arc.target, done] = waiting[arc.target, done] = cost + arc.cost
            front = ahead
        best = min(
            [best, *(c + made.finals.get(s, math.inf) for (s, done), c in waiting.items() if done == len(words))]
        )
        after: dict[tuple[int, int], float] = {}
        for (state, done), cost in waiting.items():
            for arc in made.arcs[state]:
                if arc.label and (arc.word == 0 or (done < len(words) and arc.word == words[done])):
                    key = (arc.target, done + (arc.word != 0))
                    after[key] = min(after.get(key, math.inf), cost + arc.cost)
        waiting = after
    return best


def test_the_graph_prefers_what_was_said_and_allows_the_rest() -> None:
    made = graph.build(LEXICON, SPOKEN, toy_phones())
    at, ta = 1, 2
    seen, backed_off = cost_of(made, [at, ta], 12), cost_of(made, [ta, at], 12)
    assert seen < backed_off < math.inf
    assert cost_of(made, [at, ta, ta], 12) < math.inf


def test_what_may_follow_a_word_adds_up_to_one() -> None:
    """Bigrams, and the back-off with the single words that it leads to, are probabilities."""
    made = graph.build(LEXICON, SPOKEN, toy_phones())
    for arcs, state in zip(made.arcs, range(len(made.arcs)), strict=True):
        free = [arc for arc in arcs if arc.label == 0]
        silent = [arc for arc in arcs if arc.label and arc.target != state]
        if len(free) > 1:
            total = sum(math.exp(-arc.cost) for arc in free) + math.exp(-made.finals.get(state, math.inf))
            assert total == pytest.approx(1.0)
            assert not silent


def test_each_phone_enters_by_its_even_transition_and_stays_by_the_odd_one() -> None:
    placed = toy_phones()
    made = graph.build(LEXICON, SPOKEN, placed)
    for state, arcs in enumerate(made.arcs):
        for arc in arcs:
            if arc.label:
                assert 1 <= arc.label <= 2 * len(placed)
                assert (arc.label % 2 == 1) == (arc.target == state)
                stays = [loop.label for loop in made.arcs[arc.target] if loop.target == arc.target]
                assert stays == [arc.label if arc.label % 2 else arc.label - 1]


def test_word_ids_are_those_of_the_graph() -> None:
    assert graph.words_txt(LEXICON) == "<eps> 0\nat 1\nta 2\n#0 3\n"
    made = graph.build(LEXICON, SPOKEN, toy_phones())
    assert {arc.word for arcs in made.arcs for arc in arcs} == {0, 1, 2}


def test_an_automaton_is_written_as_openfst_reads_it() -> None:
    made = graph.Graph()
    made.state(), made.state()
    made.arc(0, 1, 0.5, 7, 9)
    made.finals[1] = 0.25
    data = kaldi_format.vector_fst(made)
    magic, length = struct.unpack_from("<ii", data)
    assert (magic, data[8 : 8 + length]) == (2125659606, b"vector")
    assert struct.unpack_from("<iiQqqq", data, 26) == (2, 0, 3, 0, 2, 1)
    assert struct.unpack_from("<fq", data, 66) == (math.inf, 1)
    assert struct.unpack_from("<iifi", data, 78) == (7, 9, 0.5, 1)
    assert struct.unpack_from("<fq", data, 94) == (0.25, 0)
    assert len(data) == 106


def test_basic_values_are_written_as_kaldi_reads_them() -> None:
    assert kaldi_format.integer(-1) == b"\x04\xff\xff\xff\xff"
    assert kaldi_format.real(1.0) == b"\x04\x00\x00\x80\x3f"
    assert kaldi_format.double(1.0) == b"\x08" + struct.pack("<d", 1.0)
    assert kaldi_format.integers([3]) == b"\x04\x01\x00\x00\x00\x03\x00\x00\x00"
    assert kaldi_format.vector(np.ones(1, np.float32)) == b"FV \x04\x01\x00\x00\x00\x00\x00\x80\x3f"
    header = b"FM \x04\x01\x00\x00\x00\x04\x02\x00\x00\x00"
    assert kaldi_format.matrix(np.ones((1, 2), np.float32)) == header + b"\x00\x00\x80\x3f" * 2


def test_the_network_is_written_layer_by_layer() -> None:
    layers = (
        Layer(np.zeros((2, 13 * 40), np.float32), np.zeros(2, np.float32)),
        Layer(np.zeros((40, 2), np.float32), np.zeros(40, np.float32)),
    )
    data = kaldi_format.final_mdl(acoustic.Network(layers, np.full(40, 1 / 40, np.float32)), toy_phones())
    assert data.startswith(b"\x00B<TransitionModel> <Topology> ")
    lines = data[data.index(b"<Nnet3> \n") + 9 : data.index(b"\n\n")].decode().splitlines()
    assert lines[0] == "input-node name=input dim=40"
    assert lines[1].endswith("Offset(input, 10), Offset(input, 12))")
    names = ["affine1", "relu1", "affine2", "softmax"]
    assert [line.split()[1] for line in lines[1:-1]] == [f"name={name}" for name in names]
    assert lines[-1] == "output-node name=output input=softmax objective=linear"
