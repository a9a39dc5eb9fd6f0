"""Downloads over a real connection: a server on this machine that answers well or badly."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sim.cloud.models import pull
from sim.errors import RecognizerError


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/am/final.mdl", bytes(300_000))
    return file.getvalue()


DATA = _zip()
"""As large as some pieces, and no model: what is downloaded well fails one step later."""

SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path))
    return tmp_path / "vosk"


@contextmanager
def served(data: bytes, promised: int | None, status: int = 200) -> Iterator[str]:
    """The address of a server that promises some bytes (None: does not say) and sends these."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if promised is not None:
                self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/models/m-0.1.zip"
        finally:
            server.shutdown()
            thread.join()


def failure(url: str, size: int = len(DATA), sha256: str = SHA256) -> str:
    with pytest.raises(RecognizerError) as raised:
        pull.pull(pull.Archive(url, size, sha256))
    sentence = str(raised.value)
    assert "\n" not in sentence
    return sentence


def test_what_comes_whole_goes_on_to_be_unpacked(root: Path) -> None:
    counts: list[int] = []
    with served(DATA, len(DATA)) as url, pytest.raises(RecognizerError, match=r"m-0\.1\.zip is no complete Vosk model"):
        pull.pull(pull.Archive(url, len(DATA), SHA256), counts.append)
    assert sum(counts) == len(DATA)
    assert len(counts) > 3
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("promised", [len(DATA), None])
def test_a_download_that_ends_early_is_refused(root: Path, promised: int | None) -> None:
    with served(DATA[:100_000], promised) as url:
        sentence = failure(url)
    assert (
        sentence.startswith(f"{url} ended after 100000 of {len(DATA)} bytes; try again, ")
        or "IncompleteRead" in sentence
    )
    assert sentence.endswith("misheard models import FILE")
    assert list(root.iterdir()) == []


def test_a_download_that_does_not_end_is_refused() -> None:
    with served(DATA + b"more", len(DATA) + 4) as url:
        assert failure(url).startswith(f"{url} gives more than the {len(DATA)} bytes that it should have; ")


def test_a_wrong_checksum_is_refused(root: Path) -> None:
    changed = DATA[:-1] + bytes([DATA[-1] ^ 1])
    with served(changed, len(changed)) as url:
        sentence = failure(url)
    assert sentence.startswith(f"{url} is not the file it should be (SHA-256 ")
    assert SHA256 in sentence
    assert list(root.iterdir()) == []


def test_a_server_that_refuses_is_quoted(root: Path) -> None:
    with served(b"gone", 4, status=404) as url:
        assert failure(url).startswith(f"{url} cannot be downloaded (HTTP Error 404: Not Found); check the network, ")
    assert "Connection refused" in failure(url)  # the server is gone now
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/m.zip", "m.zip"])
def test_only_web_addresses_are_fetched(url: str) -> None:
    assert failure(url) == f"{url} is no web address; it begins with https://"


def test_the_model_that_is_pulled_is_pinned() -> None:
    archive = pull.SMALL_ENGLISH
    assert archive.url == "https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip"
    assert (archive.size, len(archive.sha256)) == (41_205_931, 64)
