"""The evening as a picture for a paper: sound, speech, score, light, prompts, and the chain of decisions in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.report.chain import Chain, chains_of
from sim.report.clips import Clip, clips_of, number_clips
from sim.report.envelope import Envelope
from sim.report.folder import Run, read_runs
from sim.report.hearing import Prompt, prompts_of
from sim.report.lane import Span
from sim.report.lanes import lights
from sim.report.scores import threshold_of
from sim.report.speech import Spoken, lines_of
from sim.report.telling import in_short
from sim.report.wording import clock
from wakeword.canvas import COLOURS, Canvas, halo, legend
from wakeword.errors import SoundError
from wakeword.frames import HOP
from wakeword.sound import RATE, stream_sound

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN = 10.0
WHOLE_S = 180
"""A longer run is shown from just before its chain to just after it."""

MARGIN_S = 5

COLUMNS = 3000
"""Points of a curve at most."""

TITLE = 75
"""Letters of the title at most, beside the legend."""

FOOT_IN = 0.135
"""Height of a line under the picture."""

LINES = 60
"""Lines under the picture at most."""

LETTERS = 165
"""Letters of a line under the picture."""

SHADE, WAKE, PROMPT, SCORE = "#cc79a7", "#d55e00", "#7b5ea7", "#0072b2"
LIGHTS = {"listening": "#56b4e9", "thinking": "#0072b2", "speaking": PROMPT, "muted": "#d55e00"}


@dataclass(frozen=True)
class Device:
    """A device of the evening."""

    run: Run
    clips: tuple[Clip, ...]
    chains: tuple[Chain, ...]
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True)
class Row:
    """A strip of the picture, so high in inches; `devices` are those whose recordings shade it."""

    title: str
    height: float
    draw: Callable[[Axes], None]
    devices: Sequence[Device]


def draw_figure(folder: Path, path: Path) -> None:
    """Draw it; see `sim.report.write_figure`."""
    canvas = Canvas(path)
    runs, _ = read_runs(folder)
    lines, found = lines_of(runs), [clips_of(run)[0] for run in runs]
    number_clips(found)
    devices = [
        Device(run, clips, chains_of(run, clips, lines), prompts_of(run))
        for run, clips in zip(runs, found, strict=True)
    ]
    begin, end = _stretch(devices, lines)
    rows = _rows(devices, lines, begin, end)
    story = _story(devices, begin, end)
    foot = FOOT_IN * (story.count("\n") + 1.5)
    height = 0.9 + sum(row.height for row in rows) + foot
    with canvas.figure(WIDTH_IN, height, 7.5, foot) as figure:
        figure.suptitle(_title(devices[0], begin, end), x=0.01, ha="left", fontsize=9)
        strips = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=[row.height for row in rows])
        for row, axes in zip(rows, strips[:, 0], strict=True):
            axes.set_ylabel(row.title, rotation=0, ha="right", va="center")
            axes.set(xlim=(begin / RATE, max(end, begin + HOP) / RATE))
            axes.spines["right"].set_visible(False)
            _shade(axes, row.devices)
            row.draw(axes)
        for axes in strips[:-1, 0]:
            axes.spines["bottom"].set_visible(False)
            axes.tick_params(bottom=False)
        strips[-1, 0].set_xlabel("seconds")
        keys = legend(strips[:, 0])
        if keys["labels"]:
            figure.legend(**keys, loc="outside upper right", ncols=len(keys["labels"]), frameon=False, fontsize=6.5)
        figure.text(0.01, 0, story, va="bottom", fontsize=7, linespacing=1.3).set_in_layout(False)


def _title(first: Device, begin: int, end: int) -> str:
    scenario, manifest = first.run.outcome.manifest.scenario, first.run.outcome.manifest
    name = f"{scenario.name}: {scenario.shows}" if scenario is not None else manifest.device.name
    part = f" ({clock(begin)} to {clock(end)})" if begin else ""
    return shorten(name, TITLE, placeholder=" …") + part


def _stretch(devices: Sequence[Device], lines: Sequence[Spoken]) -> tuple[int, int]:
    """Give what is drawn: all of it, or of a long run the chain that did the most."""
    end = max([len(device.run.scores) * HOP for device in devices] + [device.run.last for device in devices])
    end = max([end, *(line.end for line in lines)])
    chains = [chain for device in devices for chain in device.chains if chain.steps]
    if end <= WHOLE_S * RATE or not chains:
        return 0, end
    most = max(chains, key=lambda chain: (chain.harm, any(step.result for step in chain.steps), len(chain.steps)))
    last = max([step.at for step in most.steps] + [clip.stop for clip in most.clips])
    return max(0, most.clips[0].begin - MARGIN_S * RATE), min(end, last + MARGIN_S * RATE)


def _rows(devices: Sequence[Device], lines: Sequence[Spoken], begin: int, end: int) -> list[Row]:
    shown = [line for line in lines if line.begin < end and begin < max(line.end, line.begin + 1)]
    rows: list[Row] = []
    for number, who in enumerate(dict.fromkeys(line.who for line in lines)):  # as on the page, also of a part
        own = [Span(line.begin, line.end, line.text, "") for line in shown if line.who == who]
        if own:
            rows.append(Row(who, 0.5, _texts(own, COLOURS[number % len(COLOURS)], begin, end), devices))
    for device in devices:
        name = f"{device.run.name}\n" if len(devices) > 1 else ""
        for title, height, draw in _strips(device, begin, end):
            rows.append(Row(f"{name}{title}", height, draw, [device]))
    return rows


def _strips(device: Device, begin: int, end: int) -> Iterator[tuple[str, float, Callable[[Axes], None]]]:
    """Title, height and drawing of each strip of a device that has something to show."""
    run = device.run
    if (wave := _wave(run, begin, end)) is not None:
        yield "microphone", 0.75, wave
    heard = [clip for clip in device.clips if clip.heard and clip.begin < end and begin < clip.stop]
    if heard:
        yield "heard", 0.5, _texts([Span(c.begin, c.stop, c.heard or "", "") for c in heard], SHADE, begin, end)
    if device.prompts:
        most = max(len(prompt.listeners) for prompt in device.prompts)
        yield "device says", 0.34 + 0.13 * most, _prompts(device.prompts, most)
    for column, word in enumerate(run.outcome.manifest.words):
        if len(run.scores):
            yield f"“{word}”", 0.7, _score(run, word, column)
    yield "light", 0.24, _light(run)
    if device.chains:
        yield "decisions", 0.3, _decisions(device.chains)


def _shade(axes: Axes, devices: Sequence[Device]) -> None:
    """Behind everything: when sound left the home."""
    for clip in (clip for device in devices for clip in device.clips):
        left = "sound that left the home"
        axes.axvspan(clip.begin / RATE, clip.stop / RATE, color=SHADE, alpha=0.14, linewidth=0, label=left)


def _bare(axes: Axes) -> None:
    axes.set(ylim=(0, 1), yticks=[])
    axes.spines["left"].set_visible(False)


def _texts(spans: Sequence[Span], colour: str, begin: int, end: int) -> Callable[[Axes], None]:
    """Bars with their words under them, so many as there is room for before the next bar."""

    def draw(axes: Axes) -> None:
        _bare(axes)
        letters = 8.6 * 22 / max(1, end - begin)
        for span, following in zip(spans, [*spans[1:], None], strict=True):
            axes.barh(0.93, (span.end - span.begin) / RATE, 0.14, span.begin / RATE, color=colour)
            room = max(6, int(((following.begin if following else end) - span.begin) * letters))
            folded = wrap(span.text, room)
            cut = folded[:4] if len(folded) <= 4 else [*folded[:3], f"{folded[3][: room - 2]} …"]
            left = max(span.begin, begin) / RATE
            axes.text(left, 0.8, "\n".join(cut), va="top", fontsize=5.5, linespacing=1.05, clip_on=True)

    return draw


def _wave(run: Run, begin: int, end: int) -> Callable[[Axes], None] | None:
    envelope = Envelope()
    try:
        for chunk in stream_sound(run.folder / "home.flac"):
            envelope.append(chunk)
    except SoundError:  # what could be read of it is drawn, as on the page
        if not envelope.length:
            return None
    bins = envelope.bins[begin // envelope.size : -(-end // envelope.size)]
    together = max(1, len(bins) // COLUMNS)
    first = np.arange(0, len(bins), together)
    if not len(first):
        return None
    low, high = np.minimum.reduceat(bins[:, 0], first), np.maximum.reduceat(bins[:, 1], first)
    at = (begin // envelope.size + first) * envelope.size / RATE
    peak = max(1, int(np.abs(bins.astype(np.int32)).max()))

    def draw(axes: Axes) -> None:
        axes.fill_between(at, low / peak, high / peak, color="0.35", linewidth=0.2)
        axes.set(ylim=(-1.05, 1.05), yticks=[])
        axes.spines["left"].set_visible(False)

    return draw


def _score(run: Run, word: str, column: int) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        scores: NDArray[np.float32] = run.scores[:, column]
        axes.stairs(scores, np.arange(len(scores) + 1) * HOP / RATE, baseline=None, color=SCORE, linewidth=0.9)
        threshold = threshold_of(run, word)
        if threshold is not None:
            axes.axhline(threshold, color="0.3", linewidth=0.7, linestyle=(0, (5, 4)))
            text = axes.text(axes.get_xlim()[1], threshold, f" {threshold:g}", va="center", fontsize=6)
            text.set_clip_on(False)
        axes.set(ylim=(0, 1.08), yticks=(0, 1))
        for sample, facts in run.of("wake"):
            if facts["word"] == word:
                axes.plot(sample / RATE, facts["score"], "^", color=WAKE, markersize=5)
                label = axes.annotate(
                    f"{facts['score']:.2f}", (sample / RATE, facts["score"]), (4, 2), textcoords="offset points",
                    color=WAKE, fontsize=6.5, annotation_clip=True,
                )  # fmt: skip
                label.set_path_effects(halo(2))

    return draw


def _light(run: Run) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        _bare(axes)
        for span in lights(run):
            colour = LIGHTS.get(span.look, "0.6")
            hatch = "////" if span.look == "thinking" else None
            axes.barh(
                0.5, (span.end - span.begin) / RATE, 0.8, span.begin / RATE, color=colour, hatch=hatch,
                edgecolor="white", linewidth=0.3, label=f"light: {span.look}",
            )  # fmt: skip

    return draw


def _prompts(prompts: Sequence[Prompt], most: int) -> Callable[[Axes], None]:
    """Each prompt, and under it its level at each person against all else there; hatched where nobody heard it."""

    def draw(axes: Axes) -> None:
        _bare(axes)
        top = 1 - 0.26 / (0.34 + 0.13 * most)
        for prompt in prompts:
            heard = not prompt.listeners or any(one.heard for one in prompt.listeners)
            axes.barh(
                (1 + top) / 2, (prompt.end - prompt.begin) / RATE, (1 - top) * 0.8, prompt.begin / RATE,
                color=PROMPT if heard else "white", hatch=None if heard else "//////", edgecolor=PROMPT, linewidth=0.5,
            )  # fmt: skip
            axes.text(prompt.end / RATE, (1 + top) / 2, f" “{prompt.text}”", va="center", fontsize=6.5, clip_on=True)
            for place, one in enumerate(prompt.listeners):
                mark = "heard" if one.heard else "not heard"
                told = f"{one.who}: {one.level_db:.0f} vs {one.rest_db:.0f} dB, {mark}"
                at = top - (place + 0.5) * top / max(1, most)
                axes.text(prompt.begin / RATE, at, told, va="center", fontsize=5.5, clip_on=True)

    return draw


def _decisions(chains: Sequence[Chain]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        _bare(axes)
        for chain in chains:
            before = -1.0
            for number, step in enumerate(chain.steps, 1):
                first, last = axes.get_xlim()
                at = max(step.at / RATE, before + (last - first) * 0.016)
                before = at
                astray = "astray" in step.look
                axes.text(
                    at, 0.5, str(number), ha="center", va="center", fontsize=6, clip_on=True,
                    color="white" if astray else "black",
                    bbox={"boxstyle": "circle,pad=0.25", "facecolor": WAKE if astray else "white", "linewidth": 0.7},
                )  # fmt: skip

    return draw


def _story(devices: Sequence[Device], begin: int, end: int) -> str:
    """The chains of what is drawn in words, step by step as far as there is room."""
    told: list[str] = []
    chains = [chain for device in devices for chain in device.chains if begin <= chain.begin < end]
    for chain in sorted(chains, key=lambda chain: chain.begin):
        where = f"{chain.device}, " if len(devices) > 1 else ""
        told += wrap(f"{where}{clock(chain.begin)}: {chain.came_of_it}", LETTERS)
        for number, step in enumerate(chain.steps, 1):
            told += wrap(f"{number}  {in_short(step)}", LETTERS, initial_indent="  ", subsequent_indent="       ")
    more = [f"… and {len(told) - LINES} lines more in report.html"] if len(told) > LINES else []
    return "\n".join([*told[:LINES], *more]) or "Nothing woke the device."
