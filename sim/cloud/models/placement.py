"""Putting a model where it is found: unpacked safely, tried out, and there all at once or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sim.cloud.models import registry, trial
from sim.errors import RecognizerError


@contextmanager
def staging() -> Iterator[Path]:
    """An empty folder beside the models, gone afterwards. Raises RecognizerError if nothing can be written there."""
    try:
        registry.root().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=registry.root()) as folder:
            yield Path(folder)
    except OSError as error:
        raise RecognizerError(
            f"the model cannot be put into {registry.root()} ({error.strerror or error}); "
            "make room there, or set MISHEARD_MODELS to another folder"
        ) from None


def place(folder: Path, name: str, facts: Mapping[str, object], called: object) -> Path:
    """Move a model from `staging` to its place, instead of one that has this name, and write ``facts`` beside it.

    Raises RecognizerError, in which it is ``called`` so, and changes nothing, if it does not work.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise RecognizerError(f"{name!r} cannot be a model's name; rename it, with letters, digits and . _ - only")
    trial.require(folder, called)
    text = json.dumps({**facts, "content_sha256": registry.content_hash(folder)}, indent=2)
    (folder / registry.MANIFEST).write_text(text + "\n", "utf-8")
    target = registry.root() / name
    with tempfile.TemporaryDirectory(prefix=".outgoing-", dir=registry.root()) as old:
        if target.exists():
            target.rename(Path(old) / name)
        folder.rename(target)
    return target


def import_model(source: Path) -> Path:
    """Take a Vosk model from a folder or a zip into the models; returns its place. Raises RecognizerError."""
    if not source.exists():
        raise RecognizerError(f"there is no file or folder {source}; give the path of a Vosk model, folder or zip")
    with staging() as stage:
        if source.is_dir():
            inner = model_in(source, called=source)
            copy = stage / "model"
            _copy(inner, copy)
            return place(copy, inner.resolve().name, {"origin": "imported"}, called=source)
        return place_archive(source, stage, {"origin": "imported"})


def place_archive(archive: Path, stage: Path, facts: Mapping[str, object]) -> Path:
    """Unpack a zip into ``stage`` and `place` the model in it, by the name of its folder or else of the zip."""
    folder = stage / "model"
    unpack(archive, folder)
    inner = model_in(folder, called=archive)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return place(
        inner, archive.stem if inner == folder else inner.name, {**facts, "archive_sha256": digest}, called=archive
    )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip into a folder and nowhere else. Raises RecognizerError for one that is damaged or wants more."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as content:
            entries = content.infolist()
            for entry in entries:
                _require_harmless(archive, entry)
            size = sum(entry.file_size for entry in entries)
            if size > shutil.disk_usage(folder).free:
                raise RecognizerError(f"{archive.name} unpacks to {size / 1e6:.0f} MB, more than there is room for")
            content.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise RecognizerError(f"{archive} is no zip that can be unpacked ({error}); download it again") from None


def model_in(folder: Path, called: object) -> Path:
    """The one folder, this or below, that holds ``am/final.mdl``. Raises RecognizerError if there is not just one."""
    found = sorted(path.parent.parent for path in folder.rglob("am/final.mdl"))
    if len(found) != 1:
        what = "holds no Vosk model (am/final.mdl)" if not found else f"holds {len(found)} Vosk models"
        raise RecognizerError(f"{called} {what}; give the folder or zip of one")
    return found[0]


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copytree(source, target)
    except shutil.Error as error:
        why = error.args[0][0][2]
        raise RecognizerError(f"{source} cannot be copied: {why}; check the files and the disk") from None


def _require_harmless(archive: Path, entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename or link:
        raise RecognizerError(f"{archive} would write outside its folder ({entry.filename}); do not trust it")
