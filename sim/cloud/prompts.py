"""Every text that a device may have to say, so that it can be rendered, and shipped, beforehand."""

from __future__ import annotations

from datetime import datetime, timedelta

from sim.cloud.actions import clock
from sim.cloud.contacts import ContactBook
from sim.cloud.interaction import Prompts
from sim.cloud.settings import CloudSettings
from sim.cloud.turn import LOUDEST


def possible_prompts(
    settings: CloudSettings, prompts: Prompts, names: ContactBook, begin: datetime, lasting: timedelta
) -> tuple[str, ...]:
    """All that a device may say under a profile from `begin`, the home's own time, on; each once, in a fixed order."""
    texts = [*_of_messages(settings, prompts, names), prompts.timer, prompts.fallback]
    texts += [prompts.volume.format(level=level) for level in range(LOUDEST + 1)]
    minutes = int((begin.second + lasting.total_seconds()) // 60)
    texts += [prompts.time.format(time=clock(begin + timedelta(minutes=minute))) for minute in range(minutes + 1)]
    if settings.deletion.by_voice:
        texts += [prompts.deleted_last, prompts.deleted_today]
    return tuple(dict.fromkeys(text for text in texts if text))


def which(prompts: Prompts, names: ContactBook, among: tuple[str, ...]) -> str:
    """Ask which of several of one name is meant."""
    choices = ", or ".join(names.tells_apart(key) for key in among)
    return prompts.which.format(contact=names.called(among[0]), choices=choices)


def _of_messages(settings: CloudSettings, prompts: Prompts, names: ContactBook) -> list[str]:
    dialog = settings.dialog
    if not dialog.communications:
        return [prompts.no_communications]
    if not len(names):
        return [prompts.no_contacts]
    texts = [prompts.to_whom, prompts.given_up, prompts.cancelled]
    if dialog.reprompts:
        texts.append(prompts.to_whom_again)
    for twins in names.twins():
        texts.append(prompts.same_name.format(contact=names.called(twins[0])))
        if dialog.same_name == "ask":
            texts.append(which(prompts, names, twins))
    if dialog.ask_body:
        texts += [prompts.what_message, prompts.what_message_again]
    for key in names:
        if dialog.confirm != "none":
            texts.append(prompts.confirm.format(contact=names.spoken(key)))
        if dialog.read_back:
            texts.append(prompts.sent.format(contact=names.spoken(key)))
    return texts
