"""TLS of the staff instance (M18): a certificate for the county's own network, made with `cryptography`.

The signing authority's private key is discarded. So no one, not even the holder of the master key, can sign a second
certificate with it, and a machine that trusts the authority trusts only this server. Each new certificate gets a new
authority.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from etl.findings import FuxueError
from etl.system.disk import write_private
from etl.system.home import Home
from etl.vault.store.keys import Keys

#: The certificate is valid from this long before its date, since clocks in the offices may be slow.
BEHIND = dt.timedelta(days=1)
AUTHORITY, SERVER, KEY = "ca.crt", "server.crt", "server.key"


@dataclass(frozen=True)
class Certificate:
    """A new certificate: the authority's file and SHA-256 fingerprint, the host names, the last day of validity."""

    authority: Path
    fingerprint: str
    hosts: tuple[str, ...]
    until: dt.date


@dataclass(frozen=True)
class Tls:
    """The files and host names that a server needs; the key file is encrypted with `password`."""

    certificate: Path
    key: Path
    password: str
    hosts: frozenset[str]


def sign_certificate(home: Home, keys: Keys, county: str, hosts: Sequence[str], days: int, day: dt.date) -> Certificate:
    """Make an authority that is restricted to these hosts, and the server's certificate; write both to the home.

    It is valid for `days` from `day` on. Raises FuxueError if a host is not a valid name or address.
    """
    names = [_name(host) for host in hosts]
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    signer, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{county}复学系统 {day.isoformat()}")])
    until = start + dt.timedelta(days=days)

    def builder(name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        begun = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
        begun = begun.serial_number(x509.random_serial_number())
        return begun.not_valid_before(start - BEHIND).not_valid_after(until)

    authority = (
        builder(issuer, signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.NameConstraints([_subtree(name) for name in names], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, SHA256())
    )
    server = (
        builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]), own.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, SHA256())
    )
    sealed = BestAvailableEncryption(_password(keys).encode())
    home.prepare()
    write_private(home.staff / KEY, own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    write_private(home.staff / SERVER, server.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM))
    write_private(home.staff / AUTHORITY, authority.public_bytes(Encoding.PEM))
    return Certificate(home.staff / AUTHORITY, certificate_fingerprint(authority), tuple(hosts), until.date())


def tls_of(home: Home, keys: Keys, host: str, today: dt.date) -> Tls | None:
    """The TLS files for a host, None if there are none. FuxueError if unreadable, expired or made for other hosts."""
    path = home.staff / SERVER
    if not path.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise FuxueError("tls.unreadable", file=path) from None
    if certificate.not_valid_after_utc.date() <= today:
        raise FuxueError("tls.over", until=certificate.not_valid_after_utc.date())
    hosts = [str(name.value) for name in names]
    if host not in hosts:
        raise FuxueError("tls.other_host", host=host, hosts="、".join(hosts))
    return Tls(path, home.staff / KEY, _password(keys), frozenset(hosts))


def certificate_fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 fingerprint in pairs of characters, as Windows and browsers show it."""
    return certificate.fingerprint(SHA256()).hex(":").upper()


def _password(keys: Keys) -> str:
    return keys.derive("tls-key", 0).hex()  # from the first master key, so that the file stays readable after a rekey


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not re.fullmatch(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", host):
            raise FuxueError("tls.bad_host", host=host) from None
        return x509.DNSName(host)


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
