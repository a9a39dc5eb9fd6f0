"""The development authority: what it issues, whom it revokes, and the files it leaves."""

from __future__ import annotations

import argparse
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from uplink import authority as authority_module
from uplink.authority import Authority, AuthorityError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "authority")
    made.new(NOW)
    return made


def certificate(authority: Authority, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((authority.folder / f"{name}.crt").read_bytes())


def revoked(authority: Authority) -> set[int]:
    return {each.serial_number for each in x509.load_pem_x509_crl(authority.crl.read_bytes())}


def test_a_device_gets_its_name_and_a_broker_its_hosts(authority: Authority) -> None:
    authority.issue("dot", NOW)
    authority.issue("broker", NOW, ["broker.example", "192.0.2.1"])
    dot, broker = certificate(authority, "dot"), certificate(authority, "broker")
    assert [name.value for name in dot.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["dot"]
    store = Store([certificate(authority, "authority")])
    policies = PolicyBuilder().store(store).time(NOW)
    policies.build_server_verifier(x509.DNSName("broker.example")).verify(broker, [])
    with pytest.raises(x509.verification.VerificationError):
        policies.build_server_verifier(x509.DNSName("other.example")).verify(broker, [])
    usage = dot.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(x509.verification.VerificationError):
        policies.build_server_verifier(x509.DNSName("dot")).verify(dot, [])


def test_time_is_what_was_handed_in(authority: Authority) -> None:
    assert authority.issue("dot", NOW, days=30) == NOW + timedelta(days=30)
    dot = certificate(authority, "dot")
    assert dot.not_valid_before_utc <= NOW - timedelta(minutes=5)
    assert authority.issue("late", NOW, days=9999) == certificate(authority, "authority").not_valid_after_utc


def test_keys_are_read_by_nobody_else(authority: Authority) -> None:
    authority.issue("dot", NOW)
    keys = sorted(authority.folder.glob("*.key"))
    assert [key.name for key in keys] == ["authority.key", "dot.key"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    assert not list(authority.folder.glob("*.new"))


def test_every_certificate_of_a_name_is_revoked(authority: Authority) -> None:
    assert revoked(authority) == set()
    serials = set()
    for name in ("dot", "dot", "lamp"):
        authority.issue(name, NOW)
        serials.add((name, certificate(authority, name).serial_number))
    assert authority.revoke("dot", NOW) == 2
    assert revoked(authority) == {serial for name, serial in serials if name == "dot"}
    assert authority.revoke("dot", NOW) == 0
    authority.issue("dot", NOW)
    assert certificate(authority, "dot").serial_number not in revoked(authority)
    assert authority.revoke("lamp", NOW) == 1
    assert len(revoked(authority)) == 3


def test_the_list_is_signed_numbered_and_as_long_valid_as_the_authority(authority: Authority) -> None:
    authority.issue("dot", NOW)
    authority.revoke("dot", NOW)
    crl, issuer = x509.load_pem_x509_crl(authority.crl.read_bytes()), certificate(authority, "authority")
    key = issuer.public_key()
    assert crl.is_signature_valid(key)  # type: ignore[arg-type]
    assert crl.next_update_utc == issuer.not_valid_after_utc
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2


def test_an_address_of_the_list_is_in_the_list_and_in_every_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.new(NOW, crl_url="http://lists.example/a.crl")
    authority.issue("dot", NOW)
    authority.revoke("dot", NOW)
    crl = x509.load_pem_x509_crl(authority.crl.read_bytes())
    there = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value.full_name
    (point,) = certificate(authority, "dot").extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert there == point.full_name
    assert there is not None
    assert there[0].value == "http://lists.example/a.crl"


@pytest.mark.parametrize("name", ["", "Dot", "a b", "-a", "a/b", "..", "a" * 41, "authority", "ä", "+"])
def test_what_is_no_name_is_refused(authority: Authority, name: str) -> None:
    for deed in (authority.issue, authority.revoke):
        with pytest.raises(AuthorityError, match="is no name of a device"):
            deed(name, NOW)


@pytest.mark.parametrize("host", ["", "a b", "*", "-a", "a_b", "http://a", "a\n"])
def test_what_is_no_host_is_refused(authority: Authority, host: str) -> None:
    with pytest.raises(AuthorityError, match="is no host name and no address"):
        authority.issue("broker", NOW, [host])
    assert not (authority.folder / "broker.crt").exists()


def test_what_is_in_the_way_is_one_sentence(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match=r"there is an authority in .* already; name another folder"):
        authority.new(NOW)
    with pytest.raises(AuthorityError, match="make an authority with: misheard keys authority new"):
        Authority(tmp_path / "nowhere").issue("dot", NOW)
    with pytest.raises(AuthorityError, match="has issued nothing to lamp"):
        authority.revoke("lamp", NOW)
    (tmp_path / "file").write_text("")
    with pytest.raises(AuthorityError, match=r"cannot be written \(.+\); name a folder that can be"):
        Authority(tmp_path / "file").new(NOW)


@pytest.mark.parametrize("file", ["authority.key", "authority.crt", "authority.crl"])
def test_a_damaged_authority_is_one_sentence(authority: Authority, file: str) -> None:
    authority.issue("dot", NOW)
    (authority.folder / file).write_text("rubbish")
    with pytest.raises(AuthorityError, match=r"is damaged \(.+\); make a new one in another folder"):
        authority.issue("lamp", NOW)
    with pytest.raises(AuthorityError, match=r"is damaged \(.+\); make a new one in another folder"):
        authority.revoke("dot", NOW)


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    authority_module.add_parser(parser.add_subparsers())
    args = parser.parse_args(["authority", *map(str, arguments)])
    code: int = args.run(args)
    return code


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "authority"
    assert run("new", folder, "--days", "10") == 0
    assert run("issue", folder, "broker", "--host", "localhost", "--host", "::1") == 0
    assert run("issue", folder, "dot", "--days", "5") == 0
    assert run("revoke", folder, "dot") == 0
    said = capsys.readouterr().out
    assert said.count("valid until") == 3
    assert "1 revoked; give" in said
    names = certificate(Authority(folder), "broker").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(name.value) for name in names.value] == ["localhost", "::1"]
    life = certificate(Authority(folder), "dot").not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=4) < life <= timedelta(days=5)


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "99999"])
def test_what_is_no_number_of_days_is_refused(tmp_path: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("new", tmp_path, f"--days={days}")
    assert caught.value.code == 2
    assert "is no number of days from 1 to 36500" in capsys.readouterr().err
