"""Who said what and when, and whether it was said to the device."""

from __future__ import annotations

from dataclasses import dataclass

from sim.report.folder import Run


@dataclass(frozen=True)
class Spoken:
    """A line that somebody said, samples `begin` to `end`; where the end is not known it is the begin."""

    who: str
    text: str
    begin: int
    end: int
    addressed: bool


def spoken(run: Run) -> tuple[Spoken, ...]:
    """Give every line of a scenario that was heard, in order; the labels know where it ends."""
    story = run.outcome.manifest.scenario
    script = (
        {(line.who, line.say) for line in story.script if line.addressed or line.to} if story is not None else set()
    )
    found: dict[tuple[int, str, str], int] = {}
    for label in run.labels:
        who, colon, text = label.text.partition(": ")
        if colon and story is not None and who in story.people:
            found[label.begin, who, text] = label.end
    for sample, facts in run.of("said"):
        found.setdefault((sample, facts["who"], facts["text"]), sample)
    return tuple(
        Spoken(who, text, begin, end, (who, text) in script) for (begin, who, text), end in sorted(found.items())
    )
