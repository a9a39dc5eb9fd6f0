"""The page: templates, facts and sound in one file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from importlib.resources import files
from string import Template

from sim.report.cards import card
from sim.report.chain import Chain, chains_of
from sim.report.clips import Clip, clips_of, number_clips
from sim.report.folder import Run
from sim.report.lane import Lane, Span
from sim.report.lanes import lanes_of, speech_lanes
from sim.report.sounds import Sounds
from sim.report.speech import Spoken, lines_of
from sim.report.story import Total, figures, sentence
from sim.report.tale import tale
from sim.report.whatif import question, read_tried, table
from sim.report.wording import clock, count
from wakeword.frames import HOP
from wakeword.models import LICENCE
from wakeword.sound import RATE

ROWS = 1000
"""Rows of the timeline in words at most."""

SCRIPTS = ("time.js", "view.js", "lanes.js", "player.js", "main.js")
"""The page's script, in this order."""


@dataclass(frozen=True)
class Shown:
    """A device on the page."""

    run: Run
    clips: tuple[Clip, ...]
    chains: tuple[Chain, ...]
    lanes: tuple[Lane, ...]


def draw(runs: Sequence[Run], remarks: Sequence[str] = ()) -> str:
    """Give the page of a run, the runs of all its devices in order; `remarks` are told beside those of the runs."""
    told, sounds, lines = [*remarks], Sounds(), lines_of(runs)
    shown, length = _show(runs, lines, sounds, told)
    clips = sorted((clip for one in shown for clip in one.clips), key=lambda clip: clip.number)
    chains = sorted((chain for one in shown for chain in one.chains), key=lambda chain: chain.begin)
    speech = speech_lanes(lines)
    own = [lane for one in shown for lane in one.lanes]
    lanes = [*own[:1], *speech, *own[1:]] if len(runs) == 1 and own and own[0].wave else [*speech, *own]
    length = max(length, *(span.end for lane in lanes for span in lane.spans), 0)
    first = runs[0].outcome
    story, total = first.manifest.scenario, Total.of([run.outcome for run in runs])
    tried, damaged = read_tried(first.what_if)
    if damaged:
        told.append(f"{count(damaged, 'row')} of the table of what-ifs {'is' if damaged == 1 else 'are'} damaged.")
    if story is not None and not speech:
        told.append("Nothing to show in this run: speech.")
    lost = sum(facts["samples"] for run in runs for _, facts in run.of("audio_lost"))
    names = [run.name for run in runs]
    script = "".join(_template(name) for name in SCRIPTS)
    return Template(_template("page.html")).substitute(
        title=escape(story.name if story else first.manifest.device.name),
        shows=escape(story.shows if story else f"A device listening to {first.manifest.source or 'its microphone'}."),
        when=escape(f"{first.manifest.utc:%d %B %Y, %H:%M:%S} UTC" if first.manifest.utc else ""),
        sentence=escape(sentence(total)),
        figures="".join(
            f'<li class="{figure.look}"><b>{escape(figure.value)}</b> <span>{escape(figure.label)}</span></li>'
            for figure in figures(total, length / RATE, lost / RATE)
        ),
        tale=tale(chains, len(runs), sounds.hears),
        tale_hidden="" if chains else " hidden",
        question=question(tried),
        whatif=table(tried),
        whatif_hidden="" if tried else " hidden",
        clips="".join(
            card(
                clip,
                sounds.clips.get(clip.name),
                lines,
                clip.device if len(runs) > 1 else "",
                clip.name in total.deleted,
            )
            for clip in clips
        )
        or "<p>Nothing was recorded.</p>",
        remarks="".join(f"<li>{escape(remark)}</li>" for remark in [*told, *sounds.remarks]),
        rows="".join(_rows(lanes, len(runs))),
        facts="".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _facts(runs)),
        home="".join(_home(name, source) for name, source in sounds.homes.items()),
        data=_json(
            {
                "rate": RATE,
                "length": max(1, length),
                "utc": first.manifest.utc and round(first.manifest.utc.timestamp() * 1000),
                "devices": names,
                "lanes": [asdict(lane) for lane in lanes],
            }
        ),
        style=_template("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _show(runs: Sequence[Run], lines: tuple[Spoken, ...], sounds: Sounds, told: list[str]) -> tuple[list[Shown], int]:
    """Give each device with its clips, numbered in order of time, and how long it all took in samples."""
    found = [clips_of(run) for run in runs]
    sounds.add_clips(number_clips(clips for clips, _ in found), {run.name: run.beside for run in runs})
    shown, length = [], 0
    for run, (clips, missing) in zip(runs, found, strict=True):
        microphone, heard = sounds.add_home(run)
        chains = chains_of(run, clips, lines)
        lanes, empty = lanes_of(run, clips, chains)
        whose = f"{run.name}: " if len(runs) > 1 else ""
        told += [f"{whose}{remark}" for remark in (*run.remarks, *missing)]
        if empty:
            told.append(f"{whose}Nothing to show in this run: {', '.join(empty)}.")
        own = tuple(replace(lane, device=run.name) for lane in ([microphone] if microphone else []) + lanes)
        shown.append(Shown(run, clips, chains, own))
        length = max(length, heard, len(run.scores) * HOP, run.last)
    return shown, length


def _home(device: str, source: str) -> str:
    return f'<audio class="home" data-device="{escape(device)}" preload="auto" src="{escape(source)}"></audio>'


def _template(name: str) -> str:
    return files("sim.report").joinpath(name).read_text(encoding="utf-8")


def _rows(lanes: Sequence[Lane], devices: int) -> Iterator[str]:
    """The timeline in words, for those who do not see it."""
    spans: list[tuple[Lane, Span]] = [(lane, span) for lane in lanes for span in lane.spans if span.look != "word"]
    spans.sort(key=lambda pair: (pair[1].begin, pair[1].end))
    for lane, span in spans[:ROWS]:
        until = f" to {clock(span.end)}" if span.end > span.begin else ""
        where = f"{lane.device}: {lane.title}" if devices > 1 and lane.device else lane.title
        yield (
            f"<tr><td>{clock(span.begin)}{until}</td><td>{escape(where)}</td>"
            f"<td>{escape('; '.join(span.about) or span.text)}</td></tr>"
        )
    if len(spans) > ROWS:
        yield f'<tr><td colspan="3">… and {len(spans) - ROWS} more in events.jsonl</td></tr>'


def _facts(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    manifest = runs[0].outcome.manifest
    for run in runs:
        yield "Device", f"{run.name}, wake-word engine {run.outcome.manifest.engine or 'not known'}"
    for word, digest in manifest.models.items():
        yield f"Model “{word}”", f"sha256 {digest}"
    if manifest.engine != "micro":
        yield "Licence of the models", LICENCE
    for name, text in (
        ("Recognizer", ", ".join(manifest.recognizers)),
        ("Wire", manifest.wire),
        ("Sound", manifest.source),
    ):
        if text:
            yield name, text
    if manifest.seed is not None:
        yield "Seed", str(manifest.seed)
    if manifest.versions:
        yield "Versions", ", ".join(f"{name} {version}" for name, version in sorted(manifest.versions.items()))


def _json(value: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
