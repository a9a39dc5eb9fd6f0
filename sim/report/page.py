"""The page: templates, facts and sound in one file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from importlib.resources import files
from string import Template

from sim.report.cards import card
from sim.report.clips import clips_of
from sim.report.folder import Run
from sim.report.lane import Lane, Span
from sim.report.lanes import lanes_of
from sim.report.sounds import Sounds
from sim.report.story import figures, sentence
from sim.report.wording import clock
from wakeword.frames import HOP
from wakeword.models import LICENCE
from wakeword.sound import RATE

ROWS = 1000
"""Rows of the timeline in words at most."""

SCRIPTS = ("time.js", "view.js", "lanes.js", "player.js", "main.js")
"""The page's script, in this order."""


def draw(run: Run) -> str:
    """Give the page of a run."""
    outcome, story = run.outcome, run.outcome.manifest.scenario
    clips, missing = clips_of(run)
    sounds = Sounds()
    sounds.add_clips(clips)
    microphone, heard = sounds.add_home(run)
    others, empty = lanes_of(run, clips)
    lanes = others if microphone is None else (microphone, *others)
    length = max(heard, len(run.scores) * HOP, *(span.end for lane in lanes for span in lane.spans), _last(run))
    remarks = [*run.remarks, *missing, *sounds.remarks]
    if empty:
        remarks.append(f"Nothing to show in this run: {', '.join(empty)}.")
    lost = sum(facts["samples"] for _, facts in run.of("audio_lost"))
    script = "".join(_template(name) for name in SCRIPTS)
    return Template(_template("page.html")).substitute(
        title=escape(story.name if story else outcome.manifest.device.name),
        shows=escape(story.shows if story else f"A device listening to {outcome.manifest.source or 'its microphone'}."),
        when=escape(f"{outcome.manifest.utc:%d %B %Y, %H:%M:%S} UTC" if outcome.manifest.utc else ""),
        sentence=escape(sentence(outcome.wakes, outcome.clips)),
        figures="".join(
            f'<li class="{figure.look}"><b>{escape(figure.value)}</b> <span>{escape(figure.label)}</span></li>'
            for figure in figures(outcome.wakes, outcome.clips, length / RATE, lost / RATE)
        ),
        clips="".join(card(number, clip, sounds.clips.get(clip.name)) for number, clip in enumerate(clips, 1))
        or "<p>Nothing was recorded.</p>",
        remarks="".join(f"<li>{escape(remark)}</li>" for remark in remarks),
        rows="".join(_rows(lanes)),
        facts="".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _facts(run)),
        home=f'<audio id="home" preload="auto" src="{escape(sounds.home)}"></audio>' if sounds.home else "",
        data=_json(
            {
                "rate": RATE,
                "length": max(1, length),
                "utc": outcome.manifest.utc and round(outcome.manifest.utc.timestamp() * 1000),
                "lanes": [asdict(lane) for lane in lanes],
            }
        ),
        style=_template("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _template(name: str) -> str:
    return files("sim.report").joinpath(name).read_text(encoding="utf-8")


def _last(run: Run) -> int:
    return max((event.sample for event in run.events), default=0)


def _rows(lanes: tuple[Lane, ...]) -> Iterator[str]:
    """The timeline in words, for those who do not see it."""
    spans: list[tuple[Lane, Span]] = [(lane, span) for lane in lanes for span in lane.spans if span.look != "word"]
    spans.sort(key=lambda pair: (pair[1].begin, pair[1].end))
    for lane, span in spans[:ROWS]:
        until = f" to {clock(span.end)}" if span.end > span.begin else ""
        yield (
            f"<tr><td>{clock(span.begin)}{until}</td><td>{escape(lane.title)}</td>"
            f"<td>{escape('; '.join(span.about) or span.text)}</td></tr>"
        )
    if len(spans) > ROWS:
        yield f'<tr><td colspan="3">… and {len(spans) - ROWS} more in events.jsonl</td></tr>'


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    manifest = run.outcome.manifest
    yield "Device", f"{manifest.device.name}, wake-word engine {manifest.engine or 'not known'}"
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
