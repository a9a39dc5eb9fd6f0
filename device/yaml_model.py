"""Settings from YAML into a pydantic model; whatever is wrong is one sentence that starts with ``file:line:``."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from device.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
Loc = tuple[str | int, ...]


class SettingFault(ValueError):  # noqa: N818 - pydantic makes the error of it
    """Raised by a model's validator for a value further in: ``at`` leads there from what is validated."""

    def __init__(self, at: Loc, value: object, why: str) -> None:
        super().__init__(why)
        self.at = at
        self.value = value


def load_yaml_model(
    source: Path | str,
    model: type[Model],
    overrides: Sequence[tuple[str, str]] = (),
    *,
    name: str = "<text>",
    context: object = None,
) -> Model:
    """``source`` (a Path is read, a str is the YAML itself and called ``name``) as ``model``.

    Validation is strict; what YAML cannot say (tuple, enum, Path) is made from what it can, as pydantic does for JSON.
    ``overrides`` are pairs of a dotted key (``capture.pre_roll_ms``, ``script.0.gap_ms``) and a YAML value; the last
    of equal keys wins. ``context`` is handed to the model's validators. Raises ConfigError.
    """
    if isinstance(source, Path):
        name, source = str(source), _read(source)
    tree, data = _parse(source, name)
    origins: dict[Loc, str] = {}
    for key, value in overrides:
        origin = f"--set {key}={value}"
        data = _set(data, key.split("."), _parse(value, origin)[1], origin)
        origins[tuple(key.split("."))] = origin
    try:
        text = json.dumps({} if data is None else data, default=_plain)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name}: holds something that is no plain value: {error}") from None
    try:
        return model.model_validate_json(text, strict=True, context=context)
    except ValidationError as error:
        # A misspelt key is also a missing one: the misspelling is what to mend.
        details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
        raise ConfigError(_sentence(details[0], model, tree, name, origins)) from None


def located(source: Path, fault: SettingFault) -> str:
    """The sentence for something found wrong only after ``source`` was loaded, with its line."""
    where = _where(fault.at, _parse(_read(source), str(source))[0], str(source), {})
    return f"{where}: {'.'.join(map(str, fault.at))} is {_short(fault.value)}: {fault}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None


def _parse(text: str, name: str) -> tuple[yaml.Node | None, Any]:
    """The node tree (it knows the lines) and the plain data of one YAML document."""
    try:
        loader = yaml.SafeLoader(text)
        tree = loader.get_single_node()
        _refuse_repeated_keys(tree, name)
        return tree, None if tree is None else loader.construct_document(tree)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark and "\n" in text else ""
        raise ConfigError(f"{name}{line}: is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2018-13-45
        raise ConfigError(f"{name}: is not YAML: {error}") from None


def _refuse_repeated_keys(root: yaml.Node | None, name: str) -> None:
    """YAML readers keep the last of two equal keys and say nothing; here it is an error."""
    pending, seen_nodes = [root], set()
    while pending:
        node = pending.pop()
        if node is None or id(node) in seen_nodes:  # an alias may lead back
            continue
        seen_nodes.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value in first and isinstance(key, yaml.ScalarNode):
                    raise ConfigError(f"{name}:{line}: {key.value} is there already in line {first[key.value]}")
                if isinstance(key, yaml.ScalarNode):
                    first[key.value] = line
                pending.append(value)


def _plain(value: object) -> str:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _set(data: Any, keys: Sequence[str], value: Any, origin: str) -> Any:
    """``data`` with ``value`` put under ``keys``; mappings that are not there yet are made."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if data is None:
        data = {}
    if isinstance(data, dict):
        return {**data, key: _set(data.get(key), rest, value, origin)}
    if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
        at = int(key)
        return [*data[:at], _set(data[at], rest, value, origin), *data[at + 1 :]]
    raise ConfigError(f"{origin}: there is nothing called {key!r} to set in it")


def _sentence(
    detail: ErrorDetails, model: type[BaseModel], tree: yaml.Node | None, name: str, origins: dict[Loc, str]
) -> str:
    loc, value = tuple(part for part in detail["loc"] if part != "[key]"), detail["input"]
    fault = detail.get("ctx", {}).get("error")
    if isinstance(fault, SettingFault):
        loc, value = loc + fault.at, fault.value
    where = _where(loc, tree, name, origins)
    key = ".".join(map(str, loc)) or "the whole"
    if detail["type"] == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        near = get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        return f"{where}: there is no setting {key}; {hint}"
    if detail["type"] == "missing":
        return f"{where}: {key} is missing"
    message = detail["msg"].removeprefix("Value error, ")
    message = re.sub(r"^Input should", "but should", message)
    separator = ", " if message.startswith("but should") else ": "
    return f"{where}: {key} is {_short(value)}{separator}{message.rstrip('.')}"


def _short(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _where(loc: Loc, tree: yaml.Node | None, name: str, origins: dict[Loc, str]) -> str:
    """``--set ...`` where that brought the value in, else ``file:line`` of the deepest key of ``loc`` that is there."""
    words = tuple(map(str, loc))
    for depth in range(len(words), 0, -1):
        if words[:depth] in origins:
            return origins[words[:depth]]
    for key, origin in origins.items():  # a misspelt first half of a dotted key
        if key[: len(words)] == words and words:
            return origin
    line, node = (tree.start_mark.line if tree else 0), tree
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                continue  # the tag of a union: not in the file
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return f"{name}:{line + 1}"


def _fields_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The names allowed where ``loc`` leads: fields of the model found by following the annotations."""
    models: list[type[BaseModel]] = [model]
    for part in loc:
        steps = [one for one in models if str(part) in one.model_fields]
        if steps:
            models = [inner for one in steps for inner in _models_in(one.model_fields[str(part)].annotation)]
    return [name for one in models for name in one.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models inside an annotation such as ``dict[str, Person] | None``, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
