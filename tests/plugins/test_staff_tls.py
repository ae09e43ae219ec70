"""TLS of the staff instance: no other machine is served without it, and its authority can vouch for nothing else."""

import datetime as dt
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from etl.findings import FuxueError
from etl.system.home import Home
from etl.vault.store.keys import Keys, demo_master
from plugins.certificate import certificate_fingerprint, sign_certificate, tls_of
from plugins.launch import check_host
from tests.support.staff_home import CLERK, OWN, PASSWORD, add_accounts, make_home
from tests.support.staff_served import served

KEYS = Keys(demo_master(3))
TODAY = dt.date.today()
DAY = dt.date(2019, 2, 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "var")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server with TLS, and the authority's file."""
    home, keys = make_home(tmp_path_factory.mktemp("tls") / "var")
    add_accounts(home, keys)
    made = sign_certificate(home, keys, "瓦房店市", ["127.0.0.1", "staff.example"], 30, TODAY)
    with served(home.root) as (address, _):
        yield int(address.rpartition(":")[2]), made.authority


def ask(port: int, context: ssl.SSLContext, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    headers = {"content-type": "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    return connection.getresponse()


def test_a_browser_that_trusts_the_authority_is_served(server: tuple[int, Path]) -> None:
    port, authority = server
    context = ssl.create_default_context(cafile=authority)
    answer = ask(port, context, "GET", "/-/login")
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    body = {"username": CLERK, "password": PASSWORD}
    answer = ask(port, context, "POST", "/-/login/api/authenticate", body)
    assert answer.status == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "secure" in cookie
    assert "httponly" in cookie
    assert "samesite" in cookie


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_one_that_does_not_trust_it_or_knows_no_tls_is_not(server: tuple[int, Path]) -> None:
    port, authority = server
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(port, ssl.create_default_context(), "GET", "/-/login")
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    plain.request("GET", f"/{OWN}/children")
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        plain.getresponse()
    old = ssl.create_default_context(cafile=authority)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(port, old, "GET", "/-/login")


def test_the_authority_vouches_for_these_hosts_alone_and_its_key_is_nowhere(home: Home) -> None:
    made = sign_certificate(home, KEYS, "瓦房店市", ["10.1.2.3", "fuxue.wafangdian.example"], 397, DAY)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert [str(one.value) for one in limits.value.permitted_subtrees or []] == [
        "10.1.2.3/32",
        "fuxue.wafangdian.example",
    ]
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert made.fingerprint == certificate_fingerprint(authority)
    assert (made.hosts, made.until) == (("10.1.2.3", "fuxue.wafangdian.example"), dt.date(2020, 3, 23))
    tls = tls_of(home, KEYS, "10.1.2.3", DAY)
    assert tls is not None
    key = load_pem_private_key(tls.key.read_bytes(), tls.password.encode())
    server = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    assert key.public_key() == server.public_key()
    assert key.public_key() != authority.public_key()
    assert sorted(path.name for path in home.staff.iterdir()) == ["ca.crt", "server.crt", "server.key"]


def test_the_key_lies_encrypted_and_stays_readable_under_a_new_master(home: Home) -> None:
    sign_certificate(home, KEYS, "瓦房店市", ["10.1.2.3"], 30, DAY)
    path = home.staff / "server.key"
    assert b"ENCRYPTED" in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    later = Keys(demo_master(9), retired=(KEYS.master,))
    tls = tls_of(home, later, "10.1.2.3", DAY)
    assert tls is not None
    load_pem_private_key(path.read_bytes(), tls.password.encode())
    with pytest.raises(ValueError, match="decrypt"):
        load_pem_private_key(path.read_bytes(), b"guess")


def test_other_machines_are_served_with_a_certificate_for_the_address_alone(home: Home) -> None:
    with pytest.raises(FuxueError, match=r"serve\.not_loopback"):
        check_host(home, KEYS, "10.1.2.3")
    sign_certificate(home, KEYS, "瓦房店市", ["10.1.2.3"], 30, TODAY)
    assert check_host(home, KEYS, "10.1.2.3") is not None
    with pytest.raises(FuxueError, match=r"tls\.other_host"):
        check_host(home, KEYS, "10.1.2.4")
    assert check_host(home, KEYS, "127.0.0.1") is None
    home.demo_key.write_bytes(b"x")
    with pytest.raises(FuxueError, match=r"serve\.demo_not_loopback"):
        check_host(home, KEYS, "10.1.2.3")


@pytest.mark.parametrize("host", ["", "Fuxue", "a b", "https://x", "x:8001", "*.example", "-" * 64, "名称"])
def test_an_odd_host_gets_no_certificate(home: Home, host: str) -> None:
    with pytest.raises(FuxueError, match=r"tls\.bad_host"):
        sign_certificate(home, KEYS, "瓦房店市", ["10.1.2.3", host], 30, DAY)
    assert list(home.staff.iterdir()) == []


def test_a_certificate_that_is_over_or_spoilt_is_not_served_with(home: Home) -> None:
    sign_certificate(home, KEYS, "瓦房店市", ["10.1.2.3"], 30, DAY)
    assert tls_of(home, KEYS, "10.1.2.3", DAY + dt.timedelta(days=29)) is not None
    with pytest.raises(FuxueError, match=r"tls\.over"):
        tls_of(home, KEYS, "10.1.2.3", DAY + dt.timedelta(days=30))
    (home.staff / "server.crt").write_bytes(b"-----BEGIN CERTIFICATE-----")
    with pytest.raises(FuxueError, match=r"tls\.unreadable"):
        tls_of(home, KEYS, "10.1.2.3", DAY)
