"""One ONNX graph, ready to run on one thread. The only file that knows onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ModelError


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: its name and shape; None where any length goes."""

    name: str
    shape: tuple[int | None, ...]


class Session:
    """A loaded graph. One thread, no arena that keeps memory, so that a device of 512 MB can hold several.

    Raises ModelError when `model` is not an ONNX graph that runs here.
    """

    def __init__(self, model: bytes, name: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - onnxruntime's own exception classes share no base
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{name} is not an ONNX model that can run ({first[:160]})") from None
        self.inputs = tuple(_port(port) for port in self._session.get_inputs())
        self.outputs = tuple(_port(port) for port in self._session.get_outputs())

    def zeros(self, name: str) -> NDArray[np.float32]:
        """An input of zeros; a size left open becomes 1."""
        shape = next(port.shape for port in self.inputs if port.name == name)
        return np.zeros([size or 1 for size in shape], np.float32)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the graph once; gives its outputs in order."""
        outputs: list[NDArray[np.float32]] = self._session.run(None, inputs)
        return outputs


def _port(port: Any) -> Port:
    return Port(port.name, tuple(size if isinstance(size, int) else None for size in port.shape))
