"""The second look at a wake, learned from reviewed clips: a plain weighted sum over the embeddings of the word.

What is looked at ends where the word was detected, so a device can judge before it sends anything, and a far end that
has no more than the clip gives the very same score: the embeddings taken are those that see nothing before the clip.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ModelError
from wakeword.features import Features, FeatureStream
from wakeword.frames import EMBEDDING, FRAMES_PER_HOP, HOP, WINDOW_FRAMES
from wakeword.models import EMBEDDING as EMBEDDING_MODEL
from wakeword.models import shared_model
from wakeword.sound import RATE, Samples
from wakeword.span import word_span

FORMAT = 1
BLIND = -(-WINDOW_FRAMES // FRAMES_PER_HOP) - 1
"""Hops at the beginning whose embeddings see silence that was assumed before them."""

_PRE_ROLL = RATE // 2
"""What a clip has before its word, as in the Alexa Voice Service."""
_MOST = 1_000_000
"""Bytes: many times what such a file has."""
_LONGEST = 50
_SPOILT = (
    *(ValueError, KeyError, TypeError, IndexError, EOFError, OverflowError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, struct.error, zlib.error, tokenize.TokenError),
)
"""What archive, array and JSON raise for bytes that are none."""
_MEMBERS = ("bias", "manifest", "threshold", "weights")


def hops_of(word: str) -> int:
    """How many whole hops lie between the begin of a clip and the detection of its word."""
    begin, _ = word_span(word, 0)
    return (_PRE_ROLL - begin) // HOP


@dataclass(frozen=True)
class Learned:
    """A verifier as it is stored: float64[windows, 96] `weights`, and `manifest`: what it was made of and for."""

    weights: NDArray[np.float64]
    bias: float
    threshold: float
    manifest: Mapping[str, Any]

    @property
    def word(self) -> str:
        """The wake word that it judges."""
        return str(self.manifest["word"])

    @property
    def model(self) -> str:
        """Hash of the wake-word model whose wakes it was made from."""
        return str(self.manifest["model"])

    @property
    def samples(self) -> int:
        """How much sound it needs, up to the detection."""
        return (len(self.weights) + BLIND) * HOP

    def judge(self, embeddings: NDArray[np.float32]) -> float:
        """float32[windows, 96] -> how surely the word is there, 0 to 1; in float64, so that any machine agrees."""
        return sigmoid(float(np.sum(self.weights * embeddings.astype(np.float64))) + self.bias)

    def as_bytes(self) -> bytes:
        """The file: an .npz of plain arrays, the same bytes for the same verifier."""
        file = BytesIO()
        text = json.dumps(self.manifest, sort_keys=True, ensure_ascii=True)
        np.savez(
            file,
            bias=np.array(self.bias, "<f8"),
            manifest=np.frombuffer(text.encode("ascii"), np.uint8),
            threshold=np.array(self.threshold, "<f8"),
            weights=self.weights.astype("<f8"),
        )
        return file.getvalue()

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return hashlib.sha256(self.as_bytes()).hexdigest()


class SecondLook:
    """Judges what woke; one for each word. Keeps nothing of what it has heard."""

    def __init__(self, learned: Learned, features: Features | None = None) -> None:
        self.learned = learned
        self.samples, self.threshold = learned.samples, learned.threshold
        self._features = features or Features()

    def score(self, sound: Samples) -> float | None:
        """int16[n] up to the detection (exclusive) -> 0 to 1; none where that is too little sound to judge by."""
        if len(sound) < self.samples:
            return None
        return self.learned.judge(embeddings_before(self._features, sound, len(self.learned.weights)))


def embeddings_before(features: Features, sound: Samples, windows: int) -> NDArray[np.float32]:
    """int16[n] -> float32[windows, 96]: the last embeddings, each of which sees nothing but this sound."""
    needed = (windows + BLIND) * HOP
    return FeatureStream(features).push(sound[len(sound) - needed :])[BLIND:]


def sigmoid(logit: float) -> float:
    """The logistic function, without overflow."""
    small = math.exp(-abs(logit))
    return (1.0 if logit >= 0 else small) / (1 + small)


def load_learned(path: Path) -> Learned:
    """Read a verifier; raises ModelError, with one sentence, for anything that is none or does not fit this program."""
    try:
        if path.stat().st_size > _MOST:
            raise ModelError(f"the verifier {path} is larger than any verifier; give a file that review loop wrote")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the verifier {path} cannot be read ({error.strerror}); check the path") from None
    try:
        learned = _read(data)
    except _SPOILT as error:
        why = " ".join(str(error).split())[:200]
        raise ModelError(f"{path} is no verifier ({why}); give a file that review loop wrote") from None
    here = shared_model(EMBEDDING_MODEL).sha256
    if learned.manifest["embedding"] != here:
        raise ModelError(f"the verifier {path} was made for another speech embedding; make it anew: review loop")
    return learned


def _read(data: bytes) -> Learned:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = sorted(archive.namelist())
        if names != [f"{name}.npy" for name in _MEMBERS]:
            raise ValueError(f"it holds {', '.join(names) or 'nothing'}")
        arrays = {name: _member(archive, name) for name in _MEMBERS}
    weights, bias, threshold = arrays["weights"], arrays["bias"], arrays["threshold"]
    for name, wanted in (("weights", 2), ("bias", 0), ("threshold", 0)):
        found = arrays[name]
        if found.dtype != np.float64 or found.ndim != wanted or not np.isfinite(found).all():
            raise ValueError(f"its {name} are {found.dtype}{list(found.shape)}, or not finite")
    if weights.shape[1] != EMBEDDING or not 1 <= len(weights) <= _LONGEST:
        raise ValueError(f"its weights are {list(weights.shape)}, not [windows, {EMBEDDING}]")
    if not 0 <= threshold <= 1:
        raise ValueError(f"its threshold is {threshold:g}, not 0 to 1")
    if arrays["manifest"].dtype != np.uint8:
        raise ValueError("its manifest is no text")
    manifest = json.loads(arrays["manifest"].tobytes())
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    for key in ("word", "model", "embedding"):
        if not isinstance(manifest.get(key), str):
            raise ValueError(f"its manifest does not say {key}")
    return Learned(weights, float(bias), float(threshold), manifest)


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array; nothing that would have to be unpickled, and nothing that promises more than it may hold."""
    about = archive.getinfo(f"{name}.npy")
    if about.file_size > _MOST:
        raise ValueError(f"its {name} would unpack to {about.file_size} bytes")
    data = archive.read(about)
    file = BytesIO(data)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError(f"its {name} are pickled objects, which are never loaded")
    if math.prod(shape) * dtype.itemsize > len(data):
        raise ValueError(f"its {name} are cut off")
    return np.asarray(np.lib.format.read_array(BytesIO(data), allow_pickle=False))
