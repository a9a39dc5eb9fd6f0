"""Where the wake-word models are: openWakeWord's wheel carries them, and a path to any other works as well."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wakeword.errors import ModelError

LICENCE = "CC BY-NC-SA 4.0 (openWakeWord's pre-trained models: not for commercial use)"

NAMES = ("alexa", "hey_jarvis", "hey_mycroft", "hey_rhasspy", "timer", "weather")
"""The wake words in openWakeWord 0.5.1."""

MELSPECTROGRAM, EMBEDDING, VAD = "melspectrogram.onnx", "embedding_model.onnx", "silero_vad.onnx"


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file and what identifies it."""

    name: str
    path: Path

    @cached_property
    def data(self) -> bytes:
        """The file's bytes; raises ModelError when they cannot be read."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise ModelError(f"the model {self.path} cannot be read ({error.strerror}); check the path") from None

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, as hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def _folder() -> Path:
    spec = importlib.util.find_spec("openwakeword")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the wake-word models are not installed; install them with: pip install --no-deps openwakeword==0.5.1"
        )
    return Path(spec.submodule_search_locations[0], "resources", "models")


def shared_model(file_name: str) -> ModelFile:
    """One of the models every wake word shares: MELSPECTROGRAM, EMBEDDING or VAD."""
    return ModelFile(file_name.removesuffix(".onnx"), _folder() / file_name)


def find_model(name: str) -> ModelFile:
    """The model of a wake word by its name (see NAMES) or by the path of an ONNX file.

    Raises ModelError when there is none, with the nearest name there is.
    """
    if name in NAMES:
        return ModelFile(name, _folder() / f"{name}_v0.1.onnx")
    path = Path(name).expanduser()
    if path.is_file():
        return ModelFile(path.stem, path)
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(NAMES)}, or give the path of an ONNX file"
    raise ModelError(f"there is no wake word or model file called {name}; {hint}")
