"""The chains of decisions of a run: from each wake to what came of it, step by step, as the events tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from device.events import Event
from sim.report.clips import Clip
from sim.report.folder import Run
from sim.report.hearing import Prompt, prompts_of
from sim.report.speech import Spoken
from sim.report.step import Scene, Step, went_on
from sim.report.tellers import TELLERS, no_second_look, undecided, woke
from sim.report.wording import long
from wakeword.sound import RATE


@dataclass(frozen=True)
class Chain:
    """What one wake led to. `came_of_it` in a few words; `harm`: a message went that nobody meant to send."""

    device: str
    begin: int
    clips: tuple[Clip, ...]
    steps: tuple[Step, ...]
    came_of_it: str
    harm: bool


@dataclass
class _Link:
    """A chain as it grows."""

    clips: list[Clip] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)
    """Clips of which it is told what they were taken for."""


def chains_of(run: Run, clips: Sequence[Clip], lines: Sequence[Spoken]) -> tuple[Chain, ...]:
    """Give the chains in order: a wake word begins one, and replies without a wake word go on with it."""
    prompts = prompts_of(run)
    scene = Scene(run, {clip.name: clip for clip in clips}, lines, prompts)
    links: list[_Link] = []
    of_clip: dict[str, _Link] = {}
    prompts_left = list(prompts)
    for event in run.events:
        name = str(event.facts.get("clip"))
        if event.kind == "capture_begin" and name in scene.clips:
            clip = scene.clips[name]
            if clip.initiator != "expect_speech" or not links:
                links.append(_Link())
                links[-1].steps += _beginning(scene, clip)
            of_clip[name] = links[-1]
            links[-1].clips.append(clip)
        elif event.kind == "prompt":
            prompt = prompts_left.pop(0)
            if links:
                links[-1].steps.append(_spoke(prompt))
        elif event.kind in TELLERS and (link := of_clip.get(name)) is not None:
            link.steps += _told(scene, event, link)
    return tuple(_chain(run, scene, link) for link in links)


def _beginning(scene: Scene, clip: Clip) -> Iterator[Step]:
    if clip.wake is None:
        return
    yield woke(scene, clip)
    checked = any(facts["clip"] == clip.name for _, facts in scene.run.of("verified"))
    if not checked and scene.setting("verifier", "method") == "none":
        yield no_second_look(clip)


def _told(scene: Scene, event: Event, link: _Link) -> Iterator[Step]:
    step = TELLERS[event.kind](scene, scene.clips[str(event.facts["clip"])], event)
    if step is not None:
        if step.heard is not None:
            link.decided.add(str(event.facts["clip"]))
        yield step


def _spoke(prompt: Prompt) -> Step:
    cut = "" if prompt.whole is not False else f" It was broken off after {long((prompt.end - prompt.begin) / RATE)}."
    heard = f"It was {prompt.heard_by}." if prompt.heard_by else ""
    return Step(prompt.begin, "spoke", "The device said", heard + cut, prompt.begin, prompt.end, prompt=prompt)


def _chain(run: Run, scene: Scene, link: _Link) -> Chain:
    left = [clip for clip in link.clips if clip.name not in link.decided and clip.heard is not None]
    steps = sorted([*link.steps, *(undecided(scene, clip) for clip in left)], key=lambda step: step.at)
    heard = max((place for place, step in enumerate(steps) if step.heard and step.taken_for), default=0)
    steps = [step if place >= heard else went_on(step) for place, step in enumerate(steps)]
    if any(step.result for step in steps):  # that it ended after that goes without saying
        steps = [step for step in steps if step.look != "ended"]
    messages = [message for message in run.outcome.messages if message.clip in {clip.name for clip in link.clips}]
    return Chain(
        run.name,
        link.clips[0].begin if link.clips[0].wake is None else link.clips[0].wake["sample"],
        tuple(link.clips),
        tuple(steps),
        _came_of_it(link, steps),
        any(message.misdirected for message in messages),
    )


def _came_of_it(link: _Link, steps: list[Step]) -> str:
    """The last thing that was done with it; where nothing was, why it stopped."""
    results = [step.result for step in steps if step.result]
    stops = [step.stop for step in steps if step.stop]
    sound = sum(clip.stop - clip.begin for clip in link.clips) / RATE
    return "; ".join(results) or (stops[-1] if stops else f"{long(sound)} left the home")
