"""TLS with a real Mosquitto: who is let in, and each way it fails as one sentence with its mend."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.broker_kit import LONG_AGO, NOW, authority_of, client, papers, shipped_mosquitto
from tests.uplink_kit import Diary, free_port, mosquitto
from uplink.address import Access
from uplink.authority import Authority
from uplink.errors import LinkError


@dataclass(frozen=True)
class House:
    """A broker that runs, and whom it believes."""

    url: str
    authority: Authority


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    authority = authority_of(folder / "authority", "dot", "lamp")
    authority.issue("late", LONG_AGO, days=30)
    authority.revoke("lamp", NOW)
    with shipped_mosquitto(needs("mosquitto"), folder, authority) as url:
        yield House(url, authority)


def refusal(url: str, access: Access) -> str:
    """What a link says that cannot be."""
    link = client(url, "tester", access)
    with pytest.raises(LinkError) as caught:
        link.open(strict=True)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_whoever_has_a_certificate_is_let_in(house: House) -> None:
    for host in ("localhost", "127.0.0.1"):
        link = client(house.url.replace("localhost", host), "dot", papers(house.authority, "dot"))
        link.open(strict=True)
        assert link.version == "5"
        link.close()


def test_a_certificate_and_its_key_may_be_in_one_file(house: House, tmp_path: Path) -> None:
    both = tmp_path / "dot.pem"
    both.write_bytes(b"".join((house.authority.folder / f"dot.{end}").read_bytes() for end in ("crt", "key")))
    link = client(house.url, "dot", Access(house.authority.certificate, both))
    link.open(strict=True)
    link.close()


def test_without_a_certificate(house: House) -> None:
    assert "wants a certificate of this end; name its files as certificate_file and key_file" in refusal(
        house.url, papers(house.authority, None)
    )


def test_a_revoked_certificate(house: House) -> None:
    said = refusal(house.url, papers(house.authority, "lamp"))
    assert "says that the certificate of this end is revoked; have another issued" in said


def test_an_expired_certificate(house: House) -> None:
    said = refusal(house.url, papers(house.authority, "late"))
    assert "says that the certificate of this end has expired; have another issued" in said


def test_a_certificate_of_another_authority(house: House, tmp_path: Path) -> None:
    strange = authority_of(tmp_path, "dot")
    access = dataclasses.replace(papers(strange, "dot"), ca_file=house.authority.certificate)
    said = refusal(house.url, access)
    assert "does not know the authority that issued the certificate of this end" in said


def test_a_broker_of_another_authority(house: House, tmp_path: Path) -> None:
    strange = authority_of(tmp_path, "dot")
    said = refusal(house.url, papers(strange, "dot"))
    assert "is not from an authority that is trusted here" in said
    assert said.endswith("name the authority's certificate as ca_file")
    system = dataclasses.replace(papers(house.authority, "dot"), ca_file=None)
    assert "is not from an authority that is trusted here" in refusal(house.url, system)


@pytest.mark.parametrize(
    ("hosts", "issued", "told"),
    [
        (["broker.example"], NOW, "is for another name; name the broker as its certificate does, or have one issued"),
        (["192.0.2.1"], NOW, "is for another name; "),
        (["localhost"], LONG_AGO, "has expired; renew it there, or check the clock here"),
        (["localhost"], NOW + (NOW - LONG_AGO), "is not valid yet; check the clock here and there"),
    ],
)
def test_a_broker_with_a_certificate_that_is_not_good(
    hosts: list[str],
    issued: datetime,
    told: str,
    tmp_path: Path,
    needs: Callable[[str], str],
) -> None:
    authority = authority_of(tmp_path / "authority", "dot")
    authority.issue("broker", issued, hosts, days=30)
    with shipped_mosquitto(needs("mosquitto"), tmp_path, authority) as url:
        assert told in refusal(url, papers(authority, "dot"))
        if hosts == ["192.0.2.1"]:
            assert told in refusal(url.replace("localhost", "127.0.0.1"), papers(authority, "dot"))


def test_tls_at_a_port_without(house: House, tmp_path: Path, needs: Callable[[str], str]) -> None:
    with mosquitto(needs("mosquitto"), tmp_path, free_port()) as url:
        said = refusal(url.replace("mqtt://", "mqtts://"), papers(house.authority, "dot"))
        assert re.search(r"speaks no TLS \(.+\); name the port where the broker does, 8883 as a rule", said)


def test_plain_text_at_a_port_with_tls(house: House) -> None:
    said = refusal(house.url.replace("mqtts://", "mqtt://"), Access())
    assert said.endswith("before a word was said; where the broker wants TLS, write mqtts://")


def test_what_the_files_must_be(house: House, tmp_path: Path) -> None:
    good = papers(house.authority, "dot")
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("rubbish")
    missing = tmp_path / "missing"
    for wrong, told in (
        ({"ca_file": missing}, "missing cannot be read (No such file or directory); name a PEM file as ca_file"),
        ({"ca_file": rubbish}, "rubbish holds no certificate; name a PEM file as ca_file"),
        ({"certificate_file": missing}, "missing cannot be read (No such file or directory); name a PEM file as cert"),
        ({"certificate_file": rubbish}, "are no certificate and key; name PEM files as certificate_file and key_file"),
        ({"key_file": missing}, "missing cannot be read (No such file or directory); name a PEM file as key_file"),
        ({"key_file": rubbish}, "are no certificate and key; name PEM files"),
        ({"key_file": house.authority.folder / "lamp.key"}, "is not that of"),
        ({"certificate_file": None}, "is a key without certificate; name that as certificate_file"),
    ):
        with pytest.raises(LinkError, match=re.escape(told)) as caught:
            client(house.url, "dot", dataclasses.replace(good, **wrong))
        assert caught.value.exit_code == 2


def test_a_certificate_that_is_renewed_while_the_link_waits_is_used(house: House, tmp_path: Path) -> None:
    authority = house.authority
    for end in ("crt", "key"):
        (tmp_path / f"dot.{end}").write_bytes((authority.folder / f"late.{end}").read_bytes())
    diary = Diary()
    link = client(
        house.url, "dot", Access(authority.certificate, tmp_path / "dot.crt", tmp_path / "dot.key"), diary=diary
    )
    link.open()
    assert "has expired" in diary.wait("down")["reason"]
    for end in ("key", "crt"):
        (tmp_path / f"dot.{end}").write_bytes((authority.folder / f"dot.{end}").read_bytes())
    diary.wait("up")
    link.close()
