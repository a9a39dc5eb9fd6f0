"""The console on a real PostgreSQL that goes away and comes back, and the command as a program of its own."""

from __future__ import annotations

import io
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.main import main
from tests.console_kit import PASSWORD, PEOPLE, Client, House, open_house
from tests.postgres_kit import PostgreSQL
from tests.review_kit import Programme

_SENTENCE = "The store cannot be reached at the moment; try again in a minute."


def test_a_database_that_is_gone_and_comes_back(needs: Callable[[str], str], tmp_path: Path) -> None:
    with PostgreSQL(needs("postgresql")) as server:
        kit = Programme(tmp_path, server.database("console"))
        kit.customer(1)
        kit.customer(2)
        for number in range(3):
            kit.clip("dot-1", begin=number * 1_000_000)
        house = House(kit)
        house.people(**PEOPLE)
        house.draw()
        with open_house(house):
            kim, ann = house.client("kim"), house.client("ann")
            task = kim.say("/desk/next").json["task"]["id"]
            server.stop()
            for client, path in ((ann, "/recordings"), (kim, "/desk"), (Client(house.url), "/login")):
                gone = client.get(path)
                if client.cookies:
                    assert (gone.status, gone.headers["retry-after"]) == (503, "60")
                    assert _SENTENCE in gone.text
                    assert "postgresql" not in gone.text
                else:
                    assert gone.status == 200  # whoever is not logged in needs no database yet
            assert kim.say("/desk/next").json == {"error": _SENTENCE}
            assert Client(house.url).post("/login", name="kim", password=PASSWORD, code="123456").status == 503
            server.start()
            assert kim.say("/desk/next").json["task"]["id"] == task  # still theirs
            assert kim.get(f"/desk/{task}/sound").body.startswith(b"RIFF")
            assert ann.get("/recordings").status == 200
            assert kim.get("/desk/%00/sound").status == 404
            assert ann.get("/recordings?clip=%00&utc=%ff").status == 200
            # An old page of a session that goes on works, too.
            assert ann.post("/choice", choice="out").status == 303
            assert kit.audit.verify() is None
        kit.close()


@dataclass
class Done:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run ``misheard console`` in this program."""

    def run(*args: str | Path, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(["console", *map(str, args)])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    kit = Programme(tmp_path)
    kit.customer(1)
    kit.clip("dot-1")
    kit.close()
    return tmp_path / "store"


def test_accounts_by_command(store: Path, run: Callable[..., Done]) -> None:
    def account(*args: str | Path, stdin: str = "") -> Done:
        return run("account", *args, "--store", store, stdin=stdin)

    made = account("add", "kim", "--role", "annotator", stdin=f"{PASSWORD}\n")
    assert made.returncode == 0
    assert re.search(r"^  [A-Z2-7]{32}$", made.stdout, re.MULTILINE)
    assert "otpauth://totp/misheard:kim?" in made.stdout
    assert PASSWORD not in made.stdout
    assert account("add", "ann", "--role", "customer", "--customer", "dot-1", stdin=f"{PASSWORD}\n").returncode == 0
    listed = account("list").stdout
    assert "ann" in listed
    assert "A0000000001" in listed
    assert account("disable", "kim").returncode == 0
    assert "disabled" in account("list").stdout
    again = account("reset", "kim", stdin="another long password\n")
    assert again.stdout.splitlines()[1] != made.stdout.splitlines()[1]
    assert "disabled" not in account("list").stdout
    for args, stdin, told in (
        (("add", "kim", "--role", "lead"), PASSWORD, "there is an account kim already"),
        (("add", "max", "--role", "lead"), "short", "12 to 256 characters"),
        (("add", "bob", "--role", "customer", "--customer", "nobody"), PASSWORD, "there is no customer nobody"),
        (("disable", "nobody"), "", "there is no account nobody"),
    ):
        refused = account(*args, stdin=f"{stdin}\n")
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--host", "0.0.0.0"), "--tls-cert"),
        (("--tls-cert", "x.pem"), "name both"),
        (("--tls-cert", "/dev/null", "--tls-key", "/dev/null"), "no certificate with its key"),
        (("--policy", "nothing"), "no review policy"),
        (("--host", "192.0.2.1", "--tls-cert", "CERT", "--tls-key", "KEY"), "cannot be listened on"),
        (("--store", "/nowhere"), "there is no store in /nowhere"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    store: Path, tls: tuple[Path, Path], run: Callable[..., Done], args: tuple[str, ...], told: str
) -> None:
    certificate, key = map(str, tls)
    given = [{"CERT": certificate, "KEY": key}.get(arg, arg) for arg in args]
    refused = run("--store", store, "--port", "0", *given)
    assert (refused.returncode in (1, 2), told in refused.stderr) == (True, True), refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine that it signed itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.mark.parametrize("secure", [False, True])
def test_the_command_serves_until_it_is_interrupted(store: Path, tls: tuple[Path, Path], secure: bool) -> None:
    options = ["--host", "0.0.0.0", "--tls-cert", str(tls[0]), "--tls-key", str(tls[1])] if secure else []
    command = [sys.executable, "-c", "import sys; from sim.main import main; sys.exit(main())", "console"]
    with subprocess.Popen(
        [*command, "--store", str(store), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stdout is not None
        assert "there is no account yet" in process.stdout.readline()
        url = process.stdout.readline().split()[0].replace("0.0.0.0", "localhost")
        assert url.startswith("https://" if secure else "http://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(tls[0]))
        with urllib.request.urlopen(f"{url}/login", context=trust if secure else None, timeout=20) as answer:
            assert "Log in" in answer.read().decode()
            assert ("strict-transport-security" in answer.headers) == secure
            assert "server" not in answer.headers
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == ""
