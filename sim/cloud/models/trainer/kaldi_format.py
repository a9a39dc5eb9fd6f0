"""Kaldi's and OpenFst's binary files, as far as a small model needs them. Little-endian throughout."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.cloud.models.trainer.acoustic import OFFSETS, Layer, Network
from sim.cloud.models.trainer.graph import Graph
from sim.cloud.models.trainer.phones import Phone

Floats = NDArray[np.float32]


def token(name: str) -> bytes:
    """A word and a blank."""
    return name.encode() + b" "


def integer(value: int) -> bytes:
    """Its size in bytes, then a signed 32-bit integer."""
    return b"\x04" + struct.pack("<i", value)


def real(value: float) -> bytes:
    """Its size in bytes, then a 32-bit float."""
    return b"\x04" + struct.pack("<f", value)


def double(value: float) -> bytes:
    """Its size in bytes, then a 64-bit float."""
    return b"\x08" + struct.pack("<d", value)


def integers(values: Sequence[int]) -> bytes:
    """A vector of 32-bit integers: their size in bytes, the count without one, the values."""
    return b"\x04" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes()


def vector(values: Floats) -> bytes:
    """A vector of 32-bit floats."""
    return token("FV") + integer(len(values)) + values.astype("<f4").tobytes()


def matrix(values: Floats) -> bytes:
    """A matrix of 32-bit floats, row by row."""
    return token("FM") + integer(values.shape[0]) + integer(values.shape[1]) + values.astype("<f4").tobytes()


def final_mdl(network: Network, phones: Sequence[Phone]) -> bytes:
    """``am/final.mdl``: transition model and network."""
    return b"\x00B" + _transition_model(phones) + _nnet3(network)


def _transition_model(phones: Sequence[Phone]) -> bytes:
    """One state a phone: phone p (from 1) has the self loop 2p - 1 and the way out 2p."""
    numbers = range(1, len(phones) + 1)
    topology = b"".join((
        token("<Topology>"),
        integers(numbers),
        integers([-1, *(0 for _ in phones)]),  # which entry each phone uses; there is no phone 0
        integer(1),  # entries
        integer(2),  # states: the one that speaks, and the end
        *(integer(0), integer(2), integer(0), real(0.5), integer(1), real(0.5)),
        *(integer(-1), integer(0)),
        token("</Topology>"),
    ))  # fmt: skip
    triples = b"".join(
        integer(number) + integer(0) + integer(phone.output) for number, phone in zip(numbers, phones, strict=True)
    )
    log_probs = np.log([1.0, *(share for phone in phones for share in (phone.stay, 1 - phone.stay))])
    return b"".join((
        token("<TransitionModel>"),
        topology,
        token("<Triples>"), integer(len(phones)), triples, token("</Triples>"),
        token("<LogProbs>"), vector(log_probs.astype(np.float32)), token("</LogProbs>"),
        token("</TransitionModel>"),
    ))  # fmt: skip


def _nnet3(network: Network) -> bytes:
    spliced = ", ".join("input" if offset == 0 else f"Offset(input, {offset})" for offset in OFFSETS)
    size = network.layers[0].weights.shape[1] // len(OFFSETS)
    lines = [f"input-node name=input dim={size}"]
    components: list[tuple[str, bytes]] = []
    source = f"Append({spliced})"
    last = len(network.layers)
    for number, layer in enumerate(network.layers, 1):
        width = len(layer.bias)
        bend = ("softmax", "LogSoftmaxComponent") if number == last else (f"relu{number}", "RectifiedLinearComponent")
        for name, component in ((f"affine{number}", _affine(layer)), (bend[0], _nonlinear(bend[1], width))):
            lines.append(f"component-node name={name} component={name} input={source}")
            components.append((name, component))
            source = name
    lines.append(f"output-node name=output input={source} objective=linear")
    return b"".join((
        token("<Nnet3>"), b"\n", "".join(line + "\n" for line in lines).encode(), b"\n",
        token("<NumComponents>"), integer(len(components)),
        *(token("<ComponentName>") + token(name) + component for name, component in components),
        token("</Nnet3>"),
        token("<LeftContext>"), integer(-OFFSETS[0]),
        token("<RightContext>"), integer(OFFSETS[-1]),
        token("<Priors>"), vector(network.priors),
    ))  # fmt: skip


def _affine(layer: Layer) -> bytes:
    return b"".join((
        token("<FixedAffineComponent>"),
        token("<LinearParams>"), matrix(layer.weights),
        token("<BiasParams>"), vector(layer.bias),
        token("</FixedAffineComponent>"),
    ))  # fmt: skip


def _nonlinear(kind: str, width: int) -> bytes:
    nothing = vector(np.zeros(0, np.float32))
    return b"".join((
        token(f"<{kind}>"),
        token("<Dim>"), integer(width),
        token("<ValueAvg>"), nothing,
        token("<DerivAvg>"), nothing,
        token("<Count>"), double(0.0),
        token(f"</{kind}>"),
    ))  # fmt: skip


def vector_fst(graph: Graph) -> bytes:
    """An OpenFst ``VectorFst<StdArc>``, version 2, without symbol tables."""

    def text(value: str) -> bytes:
        return struct.pack("<i", len(value)) + value.encode()

    magic, version, flags, properties = 2125659606, 2, 0, 0x3  # expanded and mutable; nothing else is promised
    header = struct.pack("<i", magic) + text("vector") + text("standard")
    count = sum(len(arcs) for arcs in graph.arcs)
    header += struct.pack("<iiQqqq", version, flags, properties, graph.start, len(graph.arcs), count)
    states = (
        struct.pack("<fq", graph.finals.get(state, float("inf")), len(arcs))
        + b"".join(struct.pack("<iifi", arc.label, arc.word, arc.cost, arc.target) for arc in arcs)
        for state, arcs in enumerate(graph.arcs)
    )
    return header + b"".join(states)
