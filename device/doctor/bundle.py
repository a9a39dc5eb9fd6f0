"""A file for whoever helps: what was found, how the device is set, and what happened lately, with nobody in it.

Only what is on a list gets in: levels, counts, settings that are numbers or one of a few words, and of the events what
may stand in a log (`device.journal`). No key, sound or transcript is read for it. Names, addresses and paths in the
sentences are struck out at the end.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import platform
import re
import socket
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from device.doctor.finding import Finding, Patient
from device.errors import DeviceError
from device.journal import told
from device.rundir import versions
from uplink.errors import UplinkError
from uplink.spool import Spool

_CHOICES = frozenset({"engine", "broker_profile", "spool_policy"})
"""Settings whose words are one of a few, and of nobody."""
_OF_SOMEBODY = frozenset({"microphone", "time zone"})
"""Findings whose words tell what somebody has, or where he lives."""
_LATELY = 400
"""Events."""
_STRUCK = "(struck out)"
_PATTERNS = (
    re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    re.compile(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b"),
    re.compile(r"\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\b"),
    re.compile(r"mqtts?://\S+"),
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<![\w.])/(?:[^\s,;:'\"()]+/)*[^\s,;:'\"()]+"),
)
"""Addresses of machines and people, and paths, in which names are."""


def write_bundle(path: Path, patient: Patient, findings: Sequence[Finding]) -> None:
    """Write it, for its owner alone; raises DeviceError where it is there already, or cannot be written."""
    entries = {
        "findings.json": [
            {"topic": each.topic, "level": each.level} if each.topic in _OF_SOMEBODY else vars(each)
            for each in findings
        ],
        "settings.json": _settings(patient.settings.model_dump(mode="json")),
        "versions.json": {**versions(), "kernel": platform.release()},
        "spool.json": _spool(patient),
        "events.json": _events(patient),
    }
    strike = _strikers(patient)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            text = json.dumps(_struck(content, strike), indent=1, ensure_ascii=False)
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(packed.getvalue())
    except FileExistsError:
        raise DeviceError(f"{path} is there already; name another file with --bundle") from None
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({error.strerror}); name another file with --bundle") from None


def _settings(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, yes and no as they are; of words only that they were set, but for those that are one of a few."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            found[name] = _settings(value)
        elif value is None or isinstance(value, bool | int | float) or name in _CHOICES:
            found[name] = value
        else:
            found[name] = f"({len(value)} set)" if isinstance(value, list) else "(set)"
    return found


def _spool(patient: Patient) -> dict[str, Any]:
    path = patient.state / patient.settings.name / "spool.sqlite"
    if not path.exists():
        return {}
    try:
        spool = Spool(path, guest=True)
        try:
            waits = spool.summary()
            dropped = {why: each.clips for why, each in spool.dropped().items()}
        finally:
            spool.close()
    except UplinkError as error:
        return {"error": str(error)}
    return {"clips": waits.clips, "parts": waits.parts, "bytes": waits.size, "dropped": dropped}


def _events(patient: Patient) -> list[dict[str, Any]]:
    """The last events of the newest run below the state directory, without a word."""
    runs = sorted((patient.state / "runs").glob("*/events.jsonl"), key=lambda file: file.parent.name)
    if not runs:
        return []
    found = []
    for line in runs[-1].read_text("utf-8", "replace").splitlines()[-_LATELY:]:
        try:
            event = json.loads(line)
            kind = str(event.pop("kind"))
        except (ValueError, KeyError, AttributeError):  # a line that a power cut tore
            continue
        if re.fullmatch(r"[a-z_]{1,40}", kind):
            found.append({"kind": kind, **told(event)})
    return found


def _strikers(patient: Patient) -> list[re.Pattern[str]]:
    """What to strike out: this device, machine, user, microphone and broker by name, then all that looks like such."""
    settings = patient.settings
    words = {
        *_words(settings.model_dump(mode="json")),
        socket.gethostname(),
        getpass.getuser(),
        patient.environment.get("HOSTNAME"),
        urlsplit(patient.broker).hostname,
        *(Path(word).stem for word in settings.wake.words if "/" in word),
    }
    common = {None, "", "root", "pi", "localhost", "embedded"}
    names = [
        re.compile(re.escape(word), re.IGNORECASE)
        for word in sorted(words - common, key=lambda w: -len(w or ""))
        if word
    ]
    return [*_PATTERNS, *names]


def _words(tree: Mapping[str, Any]) -> Iterator[str]:
    """Give every word of the settings that is not one of a few: names, files, addresses."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _words(value)
        elif isinstance(value, str) and name not in _CHOICES:
            yield value


def _struck(content: Any, strike: Sequence[re.Pattern[str]]) -> Any:
    if isinstance(content, str):
        for pattern in strike:
            content = pattern.sub(_STRUCK, content)
        return content
    if isinstance(content, Mapping):
        return {name: _struck(value, strike) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_struck(value, strike) for value in content]
    return content
