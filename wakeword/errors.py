"""What can go wrong between samples and a wake decision."""


class WakewordError(Exception):
    """Base of every error of this package; its text is one sentence that names the thing and the mend."""

    exit_code = 1


class SoundError(WakewordError):
    """A sound that cannot be read, decoded or used."""


class ModelError(WakewordError):
    """A model or engine that is named wrongly, is not there, or is not what it should be."""

    exit_code = 2


class EngineMissing(WakewordError):  # noqa: N818 - it is an absence, not a fault
    """An engine whose optional package is not installed."""
