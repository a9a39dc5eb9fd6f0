"""Graphs made from openWakeWord's graphs: the same floats for less arithmetic. The only file that knows onnx."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from wakeword.errors import ModelError

_FLOAT = TensorProto.FLOAT


def _load(model: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_from_string(model)
    except Exception as error:  # noqa: BLE001 - protobuf's DecodeError is private to whichever backend it runs on
        raise ModelError(f"the bytes are no ONNX model ({error})") from None


def _save(graph: onnx.GraphProto, like: onnx.ModelProto) -> bytes:
    made = helper.make_model(graph, opset_imports=like.opset_import, ir_version=8)
    data: bytes = made.SerializeToString()
    return data


def _attribute(node: onnx.NodeProto, name: str) -> Any:
    return next(helper.get_attribute_value(a) for a in node.attribute if a.name == name)


def _refuse_unless(condition: bool, what: str) -> None:
    if not condition:
        raise ModelError(f"the model is not openWakeWord 0.5.1's ({what}); install openwakeword==0.5.1")


def mel_constants(model: bytes) -> bytes:
    """Window float32[512] and mel filters float32[257, 32] of the mel front end, as the bytes of an .npz file.

    The window is the DFT kernel's row of frequency 0.
    """
    values = {i.name: numpy_helper.to_array(i) for i in _load(model).graph.initializer}
    _refuse_unless({"0.stft.conv_real.weight", "1.melW"} <= values.keys(), "another mel front end")
    buffer = io.BytesIO()
    np.savez(buffer, window=values["0.stft.conv_real.weight"][0, 0], filters=values["1.melW"])
    return buffer.getvalue()


def streaming_embedding(model: bytes) -> bytes:
    """Give the speech embedding a memory, so that no mel frame is looked at twice.

    The network has no padding in time, so two cached frames before each convolution that is 3 wide in time are all
    its state. Input ``mel`` float32[1, 1, 8 h, 32] and ``state<k>``; outputs ``embeddings`` float32[1, 96, h, 1] and
    ``next<k>``, for any h >= 1: one graph streams and works in bulk, and both give the very floats of the original (on
    x86-64; elsewhere onnxruntime may add up in another order in another shape).

    After each convolution stands max(leaky_relu(x, 0.2), -0.4), which is leaky_relu(max(x, -2), 0.2): in this form
    onnxruntime fuses the maximum into the convolution. Being monotonic, it may also follow the pooling, where
    there is less of it.
    """
    source = _load(model)
    body = list(source.graph.node)
    _refuse_unless(
        len(body) == 65 and body[0].op_type == body[-1].op_type == "Reshape" and body[1].op_type == "Conv",
        "another speech embedding",
    )
    body = body[1:-1]
    body[0].input[0] = "mel"
    body[-1].output[0] = "embeddings"
    values = {i.name: i for i in source.graph.initializer if not i.name.startswith(("new_shape", "const_fold"))}
    values |= {i.name: i for i in _constants()}
    nodes: list[onnx.NodeProto] = []
    outputs: list[onnx.ValueInfoProto] = []
    inputs, width = [_tensor("mel", [1, 1, "frames", 32])], 32
    for node in _with_cheap_activation(body):
        if node.op_type == "MaxPool":
            width //= _attribute(node, "strides")[1]
        elif node.op_type == "Conv" and _attribute(node, "kernel_shape")[0] == 3:
            state, seen, follow = (f"{word}{len(outputs)}" for word in ("state", "seen", "next"))
            shape = [1, values[node.input[1]].dims[1], 2, width]
            inputs.append(_tensor(state, shape))
            outputs.append(_tensor(follow, shape))
            nodes.append(helper.make_node("Concat", [state, node.input[0]], [seen], axis=2))
            nodes.append(helper.make_node("Slice", [seen, "from", "to", "time"], [follow]))
            node.input[0] = seen
        nodes.append(node)
    outputs.insert(0, _tensor("embeddings", [1, 96, "hops", 1]))
    return _save(helper.make_graph(nodes, "streaming-embedding", inputs, outputs, list(values.values())), source)


def _tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _FLOAT, shape)


def _constants() -> Iterable[onnx.TensorProto]:
    yield numpy_helper.from_array(np.array(-2.0, np.float32), "lowest")
    yield numpy_helper.from_array(np.array(np.finfo(np.float32).max), "highest")
    for name, value in (("from", -2), ("to", np.iinfo(np.int64).max), ("time", 2)):
        yield numpy_helper.from_array(np.array([value], np.int64), name)


def _with_cheap_activation(body: list[onnx.NodeProto]) -> Iterable[onnx.NodeProto]:
    rest = list(body)
    while rest:
        node = rest.pop(0)
        yield node
        if node.op_type != "Conv" or not rest:
            continue
        leaky, maximum = rest.pop(0), rest.pop(0)
        _refuse_unless((leaky.op_type, maximum.op_type) == ("LeakyRelu", "Max"), "another activation")
        last, result = node.output[0], maximum.output[0]
        yield helper.make_node("Clip", [last, "lowest", "highest"], [f"{last}:clipped"])
        last = f"{last}:clipped"
        if rest[0].op_type == "MaxPool":
            pool = rest.pop(0)
            result, pool.input[0], pool.output[0] = pool.output[0], last, f"{last}:pooled"
            last = pool.output[0]
            yield pool
        yield helper.make_node("LeakyRelu", [last], [result], alpha=_attribute(leaky, "alpha"))


def batched_classifier(run: Callable[[bytes, NDArray[np.float32]], NDArray[np.float32]], model: bytes) -> bytes:
    """Free a wake-word classifier of its fixed batch of 1, so that many windows go through in one call.

    `run(model, windows)` runs a graph on float32[k, n, 96]. A graph that branches on a score (`hey_jarvis`) cannot
    be batched: what comes out is compared with one window at a time, and the original is given back where they differ.
    """
    source = _load(model)
    changed = onnx.ModelProto()
    changed.CopyFrom(source)
    for port in (*changed.graph.input, *changed.graph.output):
        port.type.tensor_type.shape.dim[0].dim_param = "windows"
    window = [d.dim_value for d in source.graph.input[0].type.tensor_type.shape.dim[1:]]
    windows = np.random.default_rng(1).normal(0.0, 10.0, (5, *window)).astype(np.float32)
    freed: bytes = changed.SerializeToString()
    try:
        together = run(freed, windows)
    except Exception:  # noqa: BLE001 - whatever keeps it from running, the original still runs
        return model
    alone = np.concatenate([run(model, windows[k : k + 1]) for k in range(len(windows))])
    return freed if together.shape == alone.shape and np.allclose(together, alone, atol=1e-6) else model
