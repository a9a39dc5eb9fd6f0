"""A program of its own for a part of a measurement: asked by a line of JSON, it answers with one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Worker:
    """A module of this package, running; what it has not answered at the end of the block is not waited for."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._name = module
        command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self._answer()
        except BaseException:
            self._process.kill()
            raise

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ask(self, deed: str, **facts: object) -> Any:
        """Let it do something, and give what it says; raises RuntimeError where it ends instead."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([deed, facts]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"tests.bench.{self._name} has ended with exit code {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()


def serve(**deeds: Callable[..., object]) -> None:
    """Be such a program: say that it is ready, then do what is asked, until nobody can ask any more."""
    print("null", flush=True)
    for line in sys.stdin:
        deed, facts = json.loads(line)
        print(json.dumps(deeds[deed](**facts)), flush=True)
