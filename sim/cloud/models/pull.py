"""Downloading a model from its author's site: watched, of known size and hash, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sim.cloud.models import placement
from sim.errors import RecognizerError

TIMEOUT_S = 30.0
"""For each answer and each piece."""

PIECE = 1 << 16

_ELSE = "or get the file by other means and then: misheard models import FILE"


@dataclass(frozen=True)
class Archive:
    """A zip with a model: where it is, its size in bytes and its SHA-256 as hexadecimal digits."""

    url: str
    size: int
    sha256: str


SMALL_ENGLISH = Archive(
    "https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip",
    41_205_931,
    "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
)
"""The small model of American English by Alpha Cephei (Apache-2.0); the hash is the one that distributions pin."""


def pull(archive: Archive, advance: Callable[[int], object] = lambda _count: None) -> Path:
    """Download, check, unpack, try out and place a model; returns its folder.

    ``advance`` is called with the bytes that came since it was last called. Raises RecognizerError, and leaves nothing
    behind, if the download breaks or is not what it should be.
    """
    with placement.staging() as stage:
        path = stage / Path(urlsplit(archive.url).path).name
        digest = _download(archive, path, advance)
        if digest != archive.sha256:
            raise RecognizerError(
                f"{archive.url} is not the file it should be (SHA-256 {digest}, not {archive.sha256}); "
                f"try again, {_ELSE}"
            )
        return placement.place_archive(path, stage, {"origin": "pulled", "url": archive.url})


def _download(archive: Archive, path: Path, advance: Callable[[int], object]) -> str:
    """Write the archive to ``path``; returns the SHA-256 of what came, which has the right size."""
    digest, done = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in _pieces(archive.url):
            done += len(piece)
            if done > archive.size:
                break
            digest.update(piece)
            file.write(piece)
            advance(len(piece))
    if done != archive.size:
        amount = f"ended after {done} of {archive.size} bytes"
        if done > archive.size:
            amount = f"gives more than the {archive.size} bytes that it should have"
        raise RecognizerError(f"{archive.url} {amount}; try again, {_ELSE}")
    return digest.hexdigest()


def _pieces(url: str) -> Iterator[bytes]:
    """What the server sends, as it comes. Raises RecognizerError whatever goes wrong."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise RecognizerError(f"{url} is no web address; it begins with https://")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "misheard"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as stream:
            while piece := stream.read(PIECE):
                yield piece
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise RecognizerError(f"{url} cannot be downloaded ({why}); check the network, {_ELSE}") from None
