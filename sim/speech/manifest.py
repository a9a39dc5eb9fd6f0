"""What says which lines are shipped: a file, a voice and a text, with hashes."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.errors import SpeechError
from wakeword.sound import Samples

MANIFEST = "manifest.json"

Key = tuple[str, str]
"""A voice as scenarios write it, and a text."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Recording(BaseModel):
    """One shipped line."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    voice: str
    text: str
    file: Annotated[str, Field(pattern=r"^[a-z0-9-]+\.flac$")]
    renderer: str
    """Program, version and processor that rendered it."""
    n_samples: Annotated[int, Field(gt=0)]
    words: tuple[tuple[str, int, int], ...] = ()
    """Where its words are, in samples; none: nobody has looked."""
    sha256_samples: Sha256
    """Of the decoded samples, int16 little-endian."""
    sha256_file: Sha256


class Manifest(BaseModel):
    """All shipped lines, in the order of their files' names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recordings: tuple[Recording, ...]


def shipped_folder() -> Path:
    """Where the shipped speech is."""
    return Path(str(files("configs") / "scenarios" / "speech"))


def read_manifest(folder: Path) -> dict[Key, Recording]:
    """The recordings in ``folder`` by (voice, text); none where there is no manifest. Raises SpeechError."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = " ".join(str(error).split())
        raise SpeechError(f"{path} is no manifest of speech ({why}); install misheard again") from None
    return {(one.voice, one.text): one for one in manifest.recordings}


def sha256_samples(samples: Samples) -> str:
    """Hash of int16[n] that does not depend on this machine's byte order."""
    return hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
