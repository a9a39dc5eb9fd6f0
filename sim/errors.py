"""What the simulation raises: one base, and what a caller must tell apart."""

from __future__ import annotations

from typing import Literal


class SimError(Exception):
    """Something the simulation was asked for cannot be done; the text is one sentence with the mend."""

    exit_code = 1


class ScenarioError(SimError):
    """A scenario that is not there or says something that cannot be; names the file and line, key and value."""

    exit_code = 2


class WhatIfError(SimError):
    """A safeguard that is not known, or does not take the value it was given."""

    exit_code = 2


class VoiceError(SimError):
    """A voice that is not installed or does not speak; the sentence says how to install it."""


class RoomError(SimError):
    """The acoustics of a room cannot be computed; the sentence says what is missing."""


class SpeechError(SimError):
    """Shipped speech that is not what its manifest says."""


class RecognizerError(SimError):
    """A recognizer or its model that is not there or does not work; the sentence names the command that mends it."""


class VerifierError(RecognizerError):
    """A second look that was named and is none, or is not there."""

    exit_code = 2


class StoreError(SimError):
    """The far end's store cannot be opened, read or written."""


class StoreAwayError(StoreError):
    """The place behind the store cannot be used now: what failed may work when it is there again."""


class TakenOverError(StoreError):
    """Another receiver took this one for dead, and answers what this one was at."""


class Refused(SimError):  # noqa: N818 - it is an answer, not a fault
    """A part that the far end does not take, with its reason in a word; no receipt is given."""

    def __init__(self, text: str, reason: Literal["contradicts", "undecodable"] = "contradicts") -> None:
        super().__init__(text)
        self.reason = reason


class PolicyError(SimError):
    """A policy of review that is not there or says something that cannot be; names file and line, key and value."""

    exit_code = 2


class ReviewError(SimError):
    """Something at the review desk that is not to be done; the text says why."""


class TaskGoneError(ReviewError):
    """A task that is not there for whoever asks: done, withdrawn, somebody else's, or never drawn."""


class AuditError(ReviewError):
    """The log of what people did cannot be written, or the head of its chain cannot be read."""


class ReviewWishError(ReviewError):
    """Something asked of the review commands that cannot be; the sentence says what can."""

    exit_code = 2


class StatementError(ReviewError):
    """A statement of a deletion that is not there, or is none."""


class LabError(SimError):
    """A set of sound, a manifest or a wish of the lab that cannot be; names the file, its line and the mend."""

    exit_code = 2


class ClusterLostError(LabError):
    """The cluster went away from under its work, or the work from under it; what is done is kept."""

    exit_code = 1


class AccountError(SimError):
    """An account at the console that is not there, or cannot be as asked."""

    exit_code = 2


class AccessError(SimError):
    """Somebody is not let in; the text tells nobody which of their words was wrong."""


class TooOftenError(AccessError):
    """Somebody tried too often."""


class ConsoleError(SimError):
    """A console that cannot be as asked."""

    exit_code = 2


class FeedbackError(SimError):
    """Too little, or the wrong things, to learn from; the sentence says what would be enough."""
