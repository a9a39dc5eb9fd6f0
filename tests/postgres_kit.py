"""A real PostgreSQL in a folder of its own, on a loopback port, that can be stopped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tests.uplink_kit import DEADLINE_S, free_port

_WHO: dict[str, str] = {"user": "nobody", "group": "nogroup"}
"""Who runs it where the tests run as root, which PostgreSQL refuses."""


class PostgreSQL:
    """A context manager: makes a cluster, runs it, and removes it."""

    def __init__(self, program: str) -> None:
        """Take the path of ``postgres``; the other programs lie beside it."""
        self._programs = Path(program).resolve().parent
        # Not under pytest's own folder, which lets nobody else in.
        self._folder = Path(tempfile.mkdtemp(prefix="misheard-postgresql-"))
        self._who = _WHO if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        if self._who:
            shutil.chown(self._folder, **self._who)
        self._run("initdb", "-D", str(self._data), "-U", "misheard", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def start(self) -> None:
        """Listen, and let in."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", self._data, "-k", self._folder, "-p", str(self.port)),
                    *("-c", "listen_addresses=127.0.0.1"),
                    *("-c", "fsync=off"),  # it is killed here, and the machine under it is not
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._who,  # type: ignore[call-overload]
            )
        end = time.monotonic() + DEADLINE_S
        while self._call("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)).returncode:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end, "PostgreSQL does not let anybody in"

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop; SIGQUIT as in a crash, where everybody is thrown out and the next start recovers."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(DEADLINE_S)

    def database(self, name: str) -> str:
        """Make a database and give its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "misheard", name)
        return f"postgresql://misheard@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> PostgreSQL:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, name: str, *args: str) -> None:
        done = self._call(name, *args)
        assert done.returncode == 0, done.stderr.decode()

    def _call(self, name: str, *args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # type: ignore[no-any-return]
            [self._programs / name, *args],
            capture_output=True,
            check=False,
            cwd=self._folder,
            timeout=DEADLINE_S,
            **self._who,  # type: ignore[call-overload]
        )
