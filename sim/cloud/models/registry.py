"""Where Vosk models are, which one is preferred, and whether a folder looks like one."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sim.errors import RecognizerError

TRAINED = "misheard-small"
"""The name of the model that is trained here."""

MANIFEST = "misheard.json"
"""In a model's folder: where it is from, and how well it did."""

MEND = "get one with: misheard models pull vosk, misheard models import PATH or misheard models train-vosk"

_NEEDED = (("am/final.mdl",), ("conf/model.conf",), ("conf/mfcc.conf", "conf/fbank.conf"))
_GRAPH = (("graph/HCLr.fst", "graph/Gr.fst", "graph/disambig_tid.int"), ("graph/HCLG.fst",))


@dataclass(frozen=True)
class VoskModel:
    """A model in `root`. ``origin``: "pulled", "imported", "trained", or "unknown" where it has no manifest."""

    name: str
    folder: Path
    origin: str


def root() -> Path:
    """The folder of all Vosk models, there or not; ``$MISHEARD_MODELS`` stands in for the platform's data folder."""
    chosen = os.environ.get("MISHEARD_MODELS")
    models = Path(chosen) if chosen else platformdirs.user_data_path("misheard") / "models"
    return models / "vosk"


def installed() -> tuple[VoskModel, ...]:
    """All models in `root`, preferred ones first: those from elsewhere by name, then those trained here."""
    if not root().is_dir():
        return ()
    folders = [path for path in sorted(root().iterdir()) if path.is_dir() and not path.name.startswith(".")]
    models = [VoskModel(path.name, path, _origin(path)) for path in folders]
    return tuple(sorted(models, key=lambda model: model.origin == "trained"))


def general() -> tuple[VoskModel, ...]:
    """Those that know more than the few words of a model trained here, which is poor on people and never unsure."""
    return tuple(model for model in installed() if model.origin != "trained")


def find(folder: Path | None = None) -> Path:
    """The given folder, or that of the preferred model, checked as `check` does. Raises RecognizerError."""
    if folder is None:
        models = installed()
        if not models:
            raise RecognizerError(f"there is no Vosk model in {root()}; {MEND}")
        folder = models[0].folder
    check(folder)
    return folder


def check(folder: Path, called: object = None) -> None:
    """Raise RecognizerError if the folder lacks a file that libvosk needs; ``called`` names it in the sentence."""
    if not folder.is_dir():
        raise RecognizerError(f"there is no folder {folder} with a Vosk model; {MEND}")
    missing = [choices[0] for choices in _NEEDED if not any((folder / name).is_file() for name in choices)]
    lacks = [[name for name in names if not (folder / name).is_file()] for names in _GRAPH]
    fewest = min(lacks, key=len)
    missing += fewest
    if missing:
        raise RecognizerError(
            f"{called or folder} is no complete Vosk model, it lacks {', '.join(missing)}; remove it, then {MEND}"
        )


def content_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files but the manifest, as hexadecimal digits."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{digest}  {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()


def manifest(folder: Path) -> dict[str, object]:
    """What is known of a model; empty if nothing is."""
    try:
        facts = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _origin(folder: Path) -> str:
    return str(manifest(folder).get("origin", "unknown"))
