"""The chosen threshold as a line of a device's configuration: the rest of the file stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

from device.config import load_device
from device.durable import write
from device.errors import ConfigError

_WAKE = re.compile(r"^wake:[ \t]*(#.*)?$", re.MULTILINE)
_THRESHOLD = re.compile(r"^([ \t]+)threshold:.*$", re.MULTILINE)
_KEY = re.compile(r"^([ \t]+)[^\s#]", re.MULTILINE)
_TOP = re.compile(r"^\S", re.MULTILINE)


def lines(threshold: float) -> str:
    """What belongs into a configuration."""
    return f"wake:\n  threshold: {threshold:g}\n"


def put(path: Path, threshold: float) -> None:
    """Write it into a file that is there, or into a new one. Raises ConfigError, and then the file is as it was."""
    try:
        before = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); choose another with --write") from None
    after = changed(before, threshold)
    trial = path.with_name(path.name + ".tuned")
    try:
        write(trial, after.encode())
        load_device(trial)
        trial.replace(path)
    except ConfigError as error:
        told = str(error).replace(str(trial), str(path))
        raise ConfigError(f"{told}; put it there by hand: wake: {{threshold: {threshold:g}}}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); choose another with --write") from None
    finally:
        trial.unlink(missing_ok=True)


def changed(text: str, threshold: float) -> str:
    """A configuration with another threshold, and all else, comments too, as it was."""
    wake = _WAKE.search(text)
    if wake is None:
        return text + ("" if not text or text.endswith("\n") else "\n") + lines(threshold)
    following = _TOP.search(text, wake.end())
    end = following.start() if following else len(text)
    body = text[wake.end() : end]
    line = _THRESHOLD.search(body)
    if line is None:
        beside = _KEY.search(body)
        body = f"\n{beside[1] if beside else '  '}threshold: {threshold:g}" + body
    else:
        body = body[: line.start()] + f"{line[1]}threshold: {threshold:g}" + body[line.end() :]
    return text[: wake.end()] + body + text[end:]
