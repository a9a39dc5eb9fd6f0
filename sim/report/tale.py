"""The story on top of the page: each chain of decisions as a list of steps, with their sound, in HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from sim.report.chain import Chain
from sim.report.hearing import Listener
from sim.report.quote import Quote
from sim.report.step import Step
from sim.report.telling import needed
from sim.report.wording import clock, listing

LOUDEST_DB = 80.0
"""Where the bars of levels end; they begin at 0 dB SPL."""

Heard = Callable[[str, int], bool]
"""Whether there is sound of a device from a sample on."""


def tale(chains: Sequence[Chain], devices: int, heard: Heard) -> str:
    """Give the HTML of the chains; open is what did harm, else what sent or deleted something, else the first."""
    harm = [chain for chain in chains if chain.harm]
    weighty = [chain for chain in chains if any(step.look.startswith(("sent", "deleted")) for step in chain.steps)]
    did = [chain for chain in chains if any(step.result for step in chain.steps)]
    open_ones = harm or weighty or did[:1] or chains[:1]
    return "".join(
        f'<details class="chain{" astray" if chain.harm else ""}"{" open" if chain in open_ones else ""}>'
        f"<summary>{_head(chain, devices)}</summary>"
        f"<ol>{''.join(_step(number, step, chain, heard) for number, step in enumerate(chain.steps, 1))}</ol></details>"
        for chain in chains
    )


def _head(chain: Chain, devices: int) -> str:
    where = f" {escape(chain.device)}" if devices > 1 else ""
    first = chain.steps[0] if chain.steps else None
    began = first.title if first is not None else "Nothing known"
    on = f" on “{first.said.text}”" if first is not None and first.said is not None and first.said.text else ""
    return (
        f'<span class="when">{clock(chain.begin)}{where}</span> <b>{escape(began)}</b>{escape(on)} '
        f'<span aria-hidden="true">→</span> <b class="came">{escape(chain.came_of_it)}</b>'
    )


def _step(number: int, step: Step, chain: Chain, heard: Heard) -> str:
    hear = ""
    if step.end > step.begin and heard(chain.device, step.begin):
        hear = (
            f'<button type="button" class="play hear" data-device="{escape(chain.device)}" data-begin="{step.begin}" '
            f'data-end="{step.end}" aria-label="Hear step {number}: {escape(step.title)}">▶</button>'
        )
    return (
        f'<li class="step {escape(step.look)}" data-at="{step.at}"><div class="mark">{hear}</div><div class="what">'
        f'<h3><span class="number">{number}</span> {escape(step.title)} <button type="button" class="show" '
        f'data-at="{step.at}" title="Show it in the timeline">{clock(step.at)}</button></h3>'
        f"{_quotes(step)}{_gauge(step)}{_note(step)}{_levels(step)}</div></li>"
    )


def _quotes(step: Step) -> str:
    parts = []
    if step.prompt is not None:
        return f'<p class="prompt">“{escape(step.prompt.text)}”</p>'
    if step.said is not None:
        by = f" by {listing(step.said.who)}" if step.said.who else ""
        parts.append(f"<dt>really said{escape(by)}</dt><dd>{_quote(step.said)}</dd>")
    if step.heard is not None:
        how = "heard, in another reading" if step.heard.other else "heard"
        parts.append(f"<dt>{how}</dt><dd>{_quote(step.heard)}</dd>")
    if step.meant:
        parts.append(f"<dt>meant</dt><dd>{escape(step.meant)}</dd>")
    if step.taken_for:
        parts.append(f'<dt>taken for</dt><dd class="taken">{escape(step.taken_for)}</dd>')
    return f'<dl class="quotes">{"".join(parts)}</dl>' if parts else ""


def _quote(quote: Quote) -> str:
    if not quote.text:
        return "<i>nothing</i>"
    if not quote.before and not quote.after:
        return f"“{escape(quote.text)}”"
    parts = (escape(quote.before), f"<mark>{escape(quote.text)}</mark>", escape(quote.after))
    return f"“{' '.join(filter(None, parts))}”"


def _gauge(step: Step) -> str:
    """The score as a bar, and as a tick what was needed."""
    if step.score is None:
        return ""
    tick = "" if step.needed is None else f'<i class="needed" style="left:{_per_cent(step.needed)}%"></i>'
    return (
        f'<p class="gauge"><span class="bar" aria-hidden="true"><i style="width:{_per_cent(step.score)}%"></i>{tick}'
        f"</span><span><b>{step.score:.2f}</b>{needed(step)}</span></p>"
    )


def _note(step: Step) -> str:
    others = f' <span class="others">Also: {escape("; ".join(step.others))}.</span>' if step.others else ""
    return f"<p>{escape(step.text)}{others}</p>" if step.text or others else ""


def _levels(step: Step) -> str:
    listeners = step.prompt.listeners if step.prompt is not None else ()
    if not listeners:
        return ""
    return f'<ul class="levels">{"".join(map(_listener, listeners))}</ul>'


def _listener(listener: Listener) -> str:
    return (
        f'<li><span class="pair" aria-hidden="true"><i class="level" style="width:{_decibels(listener.level_db)}%"></i>'
        f'<i class="rest" style="width:{_decibels(listener.rest_db)}%"></i></span>'
        f"<span>{escape(listener.told)}</span></li>"
    )


def _per_cent(share: float) -> str:
    return f"{min(1.0, max(0.0, share)) * 100:.1f}"


def _decibels(db: float) -> str:
    return _per_cent(db / LOUDEST_DB)
