"""How many multiplications a hop needs, counted from the shapes of the graphs that run; the physical limit of speed."""

from __future__ import annotations

import time
from math import prod

import numpy as np
import onnx

from wakeword.features import TILE, Features
from wakeword.frames import FRAMES_PER_HOP
from wakeword.graphs import streaming_embedding
from wakeword.models import EMBEDDING, find_model, shared_model

_MATRIX = 1024


def multiplications_per_hop(word: str) -> int:
    """Multiply-and-adds of mel front end, embedding and classifier of one wake word for one hop in bulk."""
    mel = Features().mel
    front_end = FRAMES_PER_HOP * (mel._cosines.size + mel._sines.size + mel._filters.size)
    embedding = onnx.load_from_string(streaming_embedding(shared_model(EMBEDDING).data))
    embedding.graph.input[0].type.tensor_type.shape.dim[2].dim_value = FRAMES_PER_HOP * TILE
    classifier = onnx.load_from_string(find_model(word).data)
    return int(front_end + _multiplications(embedding) // TILE + _multiplications(classifier))


def _multiplications(model: onnx.ModelProto) -> int:
    """Those of convolutions and matrix products; the rest is small beside them."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    shapes |= {value.name: list(value.dims) for value in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":  # weights: out, in per group, height, width
            total += prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            total += prod(shapes[node.output[0]]) * prod(shapes[node.input[1]]) // shapes[node.output[0]][-1]
    return total


class MatrixProduct:
    """What this processor reaches at best: a product of two float32[1024, 1024], by whatever numpy multiplies with."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._a, self._b = random.standard_normal((2, _MATRIX, _MATRIX), dtype=np.float32)
        self._out = np.empty_like(self._a)

    def gflops(self, times: int = 5) -> float:
        """Measure it once: 1e9 multiplications and additions a second."""
        began = time.perf_counter()
        for _ in range(times):
            np.matmul(self._a, self._b, out=self._out)
        return 2e-9 * times * _MATRIX**3 / (time.perf_counter() - began)
