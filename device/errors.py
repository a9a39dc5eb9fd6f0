"""What the device raises: one base, and what a caller must tell apart."""

from __future__ import annotations


class DeviceError(Exception):
    """Something the device was asked for cannot be done; the text is one sentence with the mend."""

    exit_code = 1


class ConfigError(DeviceError):
    """A setting is wrong: the sentence names file and line (or the ``--set``), key, value and the nearest right key."""

    exit_code = 2
