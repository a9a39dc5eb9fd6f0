"""The way to the far end: broker, certificates, keys, and what waits for them."""

from __future__ import annotations

import getpass
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from device.doctor.finding import Finding, Level, Patient, sentence
from device.service.install import states
from device.service.place import Place
from uplink.certificates import end_of
from uplink.claim import is_claimed
from uplink.errors import UplinkError
from uplink.keyring import FAR_END, Keyring
from uplink.probe import probe
from uplink.spool import Spool

_SOON = timedelta(days=30)


def broker(patient: Patient) -> Iterator[Finding]:
    """Whether the broker answers, and until when its certificate is good."""
    if patient.broker == "embedded":
        yield Finding("broker", "ok", "embedded: it runs inside the device's own program")
        return
    try:
        reached = probe(patient.broker, patient.settings.uplink.access())
    except UplinkError as error:
        yield sentence("broker", error)
        return
    if reached.until is None:
        yield Finding("broker", "ok", f"{reached.address} answers")
    else:
        yield _until("broker", f"{reached.address} answers, its certificate is", reached.until)


def certificates(patient: Patient) -> Iterator[Finding]:
    """This end's own certificate and its key, where the settings name them."""
    uplink = patient.settings.uplink
    if uplink.certificate_file is not None:
        try:
            yield _until("certificate", "that of this device is", end_of(uplink.certificate_file.read_bytes()))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no certificate"
            mend = "name a PEM file as uplink.certificate_file"
            yield Finding("certificate", "wrong", f"{uplink.certificate_file} cannot be read ({why})", mend)
    if uplink.key_file is not None and uplink.key_file.exists():
        mode = stat.S_IMODE(uplink.key_file.stat().st_mode)
        if mode & 0o077:
            text = f"the key {uplink.key_file} is open to others ({mode:03o})"
            yield Finding("certificate", "wrong", text, f"chmod 600 {uplink.key_file}")


def _until(topic: str, what: str, end: datetime) -> Finding:
    left = end - datetime.now(UTC)
    if left < timedelta(0):
        return Finding(
            topic, "wrong", f"{what} out of date since {end:%Y-%m-%d}", "have a new one issued, or set the clock"
        )
    level: Level = "note" if left < _SOON else "ok"
    return Finding(
        topic, level, f"{what} good until {end:%Y-%m-%d}", "have a new one issued" if level == "note" else ""
    )


def keys(patient: Patient) -> Iterator[Finding]:
    """The keys by which device and far end know each other."""
    ring = Keyring.of_device(patient.state, patient.settings.name)
    if patient.broker == "embedded" and not ring.has_key:
        yield Finding("keys", "ok", "none yet; device and far end make them at the first start")
        return
    try:
        own, far_end = ring.own(), ring.trusted(FAR_END)
    except UplinkError as error:
        yield sentence("keys", error)
        return
    if far_end is None:
        yield Finding("keys", "wrong", "this device trusts no far end", "misheard keys trust device far-end.pub")
    else:
        yield Finding("keys", "ok", f"own {own.fingerprint[:8]}, far end {far_end.fingerprint[:8]}")


def spool(patient: Patient) -> Iterator[Finding]:
    """What waits on the disk, and what had to be dropped."""
    path = patient.state / patient.settings.name / "spool.sqlite"
    if not path.exists():
        yield Finding("spool", "ok", "empty: the device has never run here")
        return
    try:
        guest = Spool(path, guest=True)
        try:
            waits, dropped, runs = guest.summary(), guest.dropped(), is_claimed(path)
        finally:
            guest.close()
    except UplinkError as error:
        yield sentence("spool", error)
        return
    beside = "the device runs" if runs else "the device does not run"
    text = f"{waits.clips} clips wait ({waits.size / 1e6:.1f} MB), {beside}"
    lost = {why: each.clips for why, each in dropped.items() if why != "deleted" and each.clips}
    if lost:
        told = ", ".join(f"{count} {why.replace('_', ' ')}" for why, count in sorted(lost.items()))
        yield Finding("spool", "note", f"{text}; dropped so far: {told}", "misheard spool list names them")
    else:
        yield Finding("spool", "ok", text)


def services(patient: Patient) -> Iterator[Finding]:
    """The services that are installed, and whether a user's outlast his log-in."""
    for place in (Place.of_system(), Place.of_user()):
        found = states(place)
        for name, facts in found.items():
            state = f"{facts.get('ActiveState', 'unknown')} ({facts.get('SubState', 'no answer')})"
            well = facts.get("ActiveState") == "active"
            log = f"journalctl {'' if place.system else '--user '}-u {name} -n 50"
            yield Finding("service", "ok" if well else "wrong", f"{name} {state}", "" if well else f"read {log}")
        user = getpass.getuser()
        if found and not place.system and not patient.file(f"/var/lib/systemd/linger/{user}").exists():
            text = "the services of this user end when he logs out"
            yield Finding("service", "wrong", text, f"sudo loginctl enable-linger {user}")
