"""Which models there are, of every kind."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sim.cloud.models import registry
from wakeword.errors import ModelError
from wakeword.models import LICENCE, NAMES, find_model

LICENCES = {"pulled": "Apache-2.0", "trained": "your own"}
"""Of Vosk models, by where they are from."""


@dataclass(frozen=True)
class Entry:
    """A model. ``used``: a recognizer's is the one that ``auto`` takes."""

    kind: str
    name: str
    origin: str
    licence: str
    sha256: str
    path: Path
    used: bool = False


def entries() -> Iterator[Entry]:
    """Wake words, then recognizers, preferred ones first; what is not installed is left out."""
    with suppress(ModelError):
        for name in NAMES:
            model = find_model(name)
            yield Entry("wake word", name, "openwakeword", LICENCE, model.sha256, model.path)
    models = registry.installed()
    preferred = next(iter(registry.general()), None)
    for vosk in models:
        digest = registry.content_hash(vosk.folder)
        licence = LICENCES.get(vosk.origin, "its author's")
        yield Entry("vosk", vosk.name, vosk.origin, licence, digest, vosk.folder, used=vosk == preferred)
    spec = importlib.util.find_spec("pocketsphinx")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0], "model", "en-us")
        digest = registry.content_hash(folder)
        yield Entry("pocketsphinx", "en-us", "pocketsphinx", "BSD-2-Clause", digest, folder, used=preferred is None)
