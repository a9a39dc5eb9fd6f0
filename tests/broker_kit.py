"""A real Mosquitto on the shipped configuration, with certificates of its own authority."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.uplink_kit import Diary, free_port, run_mosquitto
from uplink.address import Access
from uplink.authority import Authority
from uplink.link import Link, Will
from uplink.profiles import PROFILES, Limits

BROKERS = Path(__file__).parents[1] / "configs" / "brokers"
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=400)


def authority_of(folder: Path, *names: str, crl_url: str | None = None) -> Authority:
    """An authority with a certificate for a broker on localhost, and for each of these names."""
    authority = Authority(folder)
    authority.new(NOW, crl_url=crl_url)
    authority.issue("broker", NOW, ["localhost", "127.0.0.1"])
    for name in names:
        authority.issue(name, NOW)
    return authority


def papers(authority: Authority, name: str | None, limits: Limits = PROFILES["mosquitto"]) -> Access:
    """What somebody shows; with None, nothing."""
    if name is None:
        return Access(authority.certificate, limits=limits)
    return Access(
        authority.certificate, authority.folder / f"{name}.crt", authority.folder / f"{name}.key", limits=limits
    )


@contextmanager
def shipped_mosquitto(
    program: str, folder: Path, authority: Authority, changes: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[str]:
    """Run Mosquitto with configs/brokers/mosquitto.conf, but for paths, port and `changes`; gives its URL."""
    port = port or free_port()
    config = (BROKERS / "mosquitto.conf").read_text()
    acl = folder / "misheard.acl"
    acl.write_text((BROKERS / "mosquitto.acl").read_text())
    acl.chmod(0o700)
    places = {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/etc/mosquitto/certs": str(authority.folder),
        "/etc/mosquitto/misheard.acl": str(acl),
        "/var/lib/mosquitto/": f"{folder}/",
    }
    for old, new in {**places, **(changes or {})}.items():
        assert old in config, old
        config = config.replace(old, new)
    file = folder / "mosquitto.conf"
    file.write_text(f"{config}\nuser root\n")  # the tests may run as root, whose files no other user could read
    with run_mosquitto(program, file, port):
        yield f"mqtts://localhost:{port}"


def client(
    url: str, name: str, access: Access, *topics: str, diary: Diary | None = None, will: Will | None = None
) -> Link:
    """A link whose messages, notices, ups and downs are told to a diary."""
    tell = diary or Diary()
    return Link(
        url,
        name,
        topics=topics,
        on_message=lambda topic, payload: tell(topic, {"payload": payload.decode()}),
        on_up=lambda: tell("up", {}),
        on_down=lambda reason: tell("down", {"reason": reason}),
        on_notice=tell,
        will=will,
        access=access,
    )
