"""Holds the house together: which way imports run, who may know a heavy library, and how long a file may be.

`violations` reads the imports of a tree of packages, also those inside functions; the tests below it run it on this
project, and on small trees that break one rule each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT: Mapping[str, set[str]] = {
    "wakeword": set(),
    "uplink": set(),
    "device": {"wakeword", "uplink"},
    "sim": {"device", "wakeword", "uplink"},
}

INNER = ("sim.console", "sim.review", "sim.cloud")
"""Rooms of which each may import those after it, and none before it."""

IN_ONE_FILE = {
    *(
        "amqtt",
        "argon2",
        "cryptography",
        "fsspec",
        "gpiozero",
        "hassil",
        "jinja2",
        "kaldi_native_fbank",
        "matplotlib",
        "nacl",
        "onnx",
        "onnxruntime",
    ),
    *(
        "openwakeword",
        "paho",
        "piper",
        "pocketsphinx",
        "prometheus_client",
        "pymicro_wakeword",
        "pyroomacoustics",
        "pywebrtc_audio",
        "rapidfuzz",
    ),
    *("dask", "distributed", "pyarrow", "scipy", "sounddevice", "soundfile", "soxr", "srt", "uvicorn", "vosk"),
}
IN_FOLDERS = {
    "alembic": {"sim/cloud/migrations"},
    "sqlalchemy": {"sim/cloud", "sim/console/access", "sim/review"},
    "starlette": {"sim/console"},
}
"""By library: where it may be imported, also under it."""

LATE = {
    *("dask", "distributed", "pyarrow", "kaldi_native_fbank", "matplotlib", "openwakeword", "piper", "pocketsphinx"),
    *("gpiozero", "pymicro_wakeword", "pyroomacoustics", "pywebrtc_audio", "scipy", "sounddevice", "vosk"),
    "wyoming",
}
"""What is optional, or needs a system library that may be missing: imported inside functions alone."""

LONGEST = 400
"""Lines."""


@dataclass(frozen=True)
class Import:
    """One name that a file imports: `at_start` when that happens as the file itself is imported."""

    file: Path
    line: int
    module: str
    name: str | None
    at_start: bool


def _imports(file: Path, module: str) -> Iterator[Import]:
    """What `file` imports when it runs, so without what only type checkers see."""

    def visit(node: ast.AST, at_start: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for other in child.orelse:
                    yield from visit(ast.Module([other], []), at_start)
            elif isinstance(child, ast.Import):
                yield from (Import(file, child.lineno, each.name, None, at_start) for each in child.names)
            elif isinstance(child, ast.ImportFrom):
                package = module if file.name == "__init__.py" else module.rpartition(".")[0]
                above = ".".join(package.split(".")[: len(package.split(".")) - child.level + 1]) if child.level else ""
                base = ".".join(filter(None, [above, child.module]))
                yield from (Import(file, child.lineno, base, each.name, at_start) for each in child.names)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from visit(child, at_start and not inside)

    yield from visit(ast.parse(file.read_text(encoding="utf-8"), str(file)), True)


def violations(root: Path) -> list[str]:
    """Each broken rule of the packages under `root` as a sentence that names file and line."""
    files = {_module(root, file): file for package in MAY_IMPORT for file in sorted((root / package).rglob("*.py"))}
    imports = {module: list(_imports(file, module)) for module, file in files.items()}
    return [
        *_wrong_ways(root, imports),
        *_circles(imports),
        *_scattered(root, imports),
        *_too_early(root, imports),
        *_too_long(root, files),
    ]


def _module(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _top(module: str) -> str:
    return module.partition(".")[0]


def _place(root: Path, found: Import) -> str:
    return f"{found.file.relative_to(root)}:{found.line}"


def _wrong_ways(root: Path, imports: Mapping[str, list[Import]]) -> Iterator[str]:
    for module, found in imports.items():
        for each in found:
            if _top(each.module) in MAY_IMPORT.keys() - MAY_IMPORT[_top(module)] - {_top(module)}:
                yield f"{_place(root, each)}: {_top(module)} must not import {_top(each.module)}"
            room, other = (".".join(name.split(".")[:2]) for name in (module, f"{each.module}.{each.name}"))
            if room in INNER and other in INNER[: INNER.index(room)]:
                yield f"{_place(root, each)}: {room} must not import {other}"


def _circles(imports: Mapping[str, list[Import]]) -> Iterator[str]:
    """Circles among what is imported as files are imported; a late import may close one."""
    graph: dict[str, set[str]] = {module: set() for module in imports}
    for module, found in imports.items():
        for each in found:
            deeper = f"{each.module}.{each.name}"
            target = deeper if deeper in imports else each.module
            if each.at_start and target in imports:
                graph[module].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"a circle of imports: {' <- '.join(error.args[1])}"


def _scattered(root: Path, imports: Mapping[str, list[Import]]) -> Iterator[str]:
    for library in sorted(IN_ONE_FILE | IN_FOLDERS.keys()):
        users = {each.file.relative_to(root) for found in imports.values() for each in found if _is_of(library, each)}
        allowed = [Path(folder) for folder in IN_FOLDERS.get(library, ())]
        places = {user for user in users if not any(folder in user.parents for folder in allowed)}
        if len(places) > (0 if allowed else 1):
            yield f"{library} is imported in {', '.join(sorted(map(str, places)))}"


def _is_of(library: str, found: Import) -> bool:
    return _top(found.module) == library


def _too_early(root: Path, imports: Mapping[str, list[Import]]) -> Iterator[str]:
    for found in imports.values():
        for each in found:
            if each.at_start and _top(each.module) in LATE:
                yield f"{_place(root, each)}: {_top(each.module)} must be imported inside a function"


def _too_long(root: Path, files: Mapping[str, Path]) -> Iterator[str]:
    for file in files.values():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST:
            yield f"{file.relative_to(root)} has {lines} lines, more than {LONGEST}"


def test_the_project_keeps_its_rules() -> None:
    assert violations(ROOT) == []


def test_it_reads_the_project() -> None:
    """The rules are not kept because nothing was read."""
    found = {
        each.module for file in (ROOT / "wakeword").glob("*.py") for each in _imports(file, f"wakeword.{file.stem}")
    }
    assert {"onnxruntime", "matplotlib.figure", "wakeword.errors", "wakeword.micro_engine"} <= found


KEPT = {
    "wakeword/__init__.py": "from wakeword.ear import hear\n",
    "wakeword/ear.py": "import numpy\nfrom wakeword.errors import Error\n",
    "wakeword/errors.py": "class Error(Exception):\n    def late(self):\n        from wakeword import ear\n",
    "wakeword/plot.py": "if TYPE_CHECKING:\n    import matplotlib\ndef draw():\n    import matplotlib.figure\n",
    "uplink/__init__.py": "",
    "uplink/link.py": "import paho.mqtt.client\nfrom . import __name__\n",
    "device/__init__.py": "",
    "device/ear.py": "from uplink.link import Link\nimport wakeword.ear\n",
    "sim/__init__.py": "import device.ear, uplink, wakeword\n",
    "sim/cloud/store.py": "import sqlalchemy\n",
    "sim/cloud/tables.py": "from sqlalchemy.orm import Session\n",
}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("wakeword/bad.py", "\nimport uplink.link\n", "wakeword/bad.py:2: wakeword must not import uplink"),
        (
            "wakeword/bad.py",
            "def f():\n    from device import ear\n",
            "wakeword/bad.py:2: wakeword must not import device",
        ),
        ("sim/cloud/bad.py", "def f():\n    from sim.review import desk\n", "sim.cloud must not import sim.review"),
        (
            "sim/review/bad.py",
            "from sim import console\n",
            "sim.review must not import sim.console",
        ),
        ("wakeword/bad.py", "try:\n    import sim\nexcept E:\n    pass\n", "wakeword must not import sim"),
        ("uplink/bad.py", "from wakeword import hear\n", "uplink/bad.py:1: uplink must not import wakeword"),
        ("uplink/deep/bad.py", "class A:\n    import device\n", "uplink must not import device"),
        ("device/bad.py", "if x:\n    pass\nelse:\n    import sim.run\n", "device must not import sim"),
        ("wakeword/errors.py", "from wakeword import ear\n", "a circle of imports: "),
        ("wakeword/errors.py", "from wakeword import hear\n", "a circle of imports: "),
        ("wakeword/errors.py", "from .ear import hear\n", "a circle of imports: "),
        ("wakeword/errors.py", "from . import ear\n", "a circle of imports: "),
        ("wakeword/bad.py", "import wakeword.bad\n", "a circle of imports: "),
        ("sim/bad.py", "def f():\n    import paho.mqtt\n", "paho is imported in sim/bad.py, uplink/link.py"),
        ("sim/bad.py", "import sqlalchemy\n", "sqlalchemy is imported in sim/bad.py"),
        (
            "device/plot.py",
            "def f():\n    from matplotlib import cm\n",
            "matplotlib is imported in device/plot.py, wake",
        ),
        (
            "device/bad.py",
            "\n\nimport sounddevice\n",
            "device/bad.py:3: sounddevice must be imported inside a function",
        ),
        ("sim/bad.py", "class A:\n    import vosk\n", "sim/bad.py:2: vosk must be imported inside a function"),
        ("sim/long.py", "x = 1\n" * 401, "sim/long.py has 401 lines, more than 400"),
    ],
)
def test_each_broken_rule_is_found(file: str, content: str, told: str, tmp_path: Path) -> None:
    for name, text in KEPT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert violations(tmp_path) == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    (found,) = violations(tmp_path)
    assert told in found
