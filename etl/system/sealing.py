"""Workbooks under a password (M18): ECMA-376 agile encryption, AES-256, opens in Excel, WPS and LibreOffice."""

import io
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace

import msoffcrypto
from msoffcrypto.exceptions import InvalidKeyError
from msoffcrypto.format import xls97
from msoffcrypto.format.ooxml import OOXMLFile
from msoffcrypto.method.ecma376_agile import ECMA376Agile

from etl.findings import FuxueError

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_MAGIC = b"PK\x03\x04"
#: Encryption that we open: of .xlsx (ECMA-376), and of .xls (RC4 with a 40-bit or a longer key). XOR is none.
OFFICE, OLD = ("agile", "standard"), ("rc4", "rc4_cryptoapi")

# The library runs the hundred thousand rounds once to make the key, once more to verify it, and again for every opening
# of what was just sealed: the last password's are kept. What it gives is never changed by it, only read.
ECMA376Agile._derive_iterated_hash_from_password = staticmethod(
    lru_cache(maxsize=1)(ECMA376Agile._derive_iterated_hash_from_password)
)

# The library decrypts an .xls into a temporary file: what was sealed must not come to lie on a disk (M18).
xls97.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)


class NotSealed(Exception):
    """The bytes are no encrypted workbook: an ordinary one perhaps, or anything."""


class WrongPassword(Exception):
    """None of the passwords opens the workbook."""


class BrokenSeal(Exception):
    """The encrypted workbook is `damaged`, of a `kind` that we do not open, or asks for too much `work`."""


@dataclass(frozen=True)
class Opened:
    """An unsealed workbook, and the index of the password that opened it.

    `is_intact` is False if its encryption has no check by which an alteration would show (ECMA-376 Standard, .xls).
    """

    plain: bytes = field(repr=False)
    index: int
    is_intact: bool


def seal(plain: bytes, password: str) -> bytes:
    """The workbook encrypted; opened again before it is returned, since a few small payloads come out unreadable."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt(password, out)
    sealed = out.getvalue()
    try:
        is_right = unseal(sealed, [password]).plain == plain
    except (NotSealed, WrongPassword, BrokenSeal):
        is_right = False
    if not is_right:
        raise FuxueError("seal.failed")
    return sealed


def unseal(sealed: bytes, passwords: list[str], *, spin_count: int = 1_000_000) -> Opened:
    """The plain workbook, its integrity checked where its encryption allows it.

    Agile encryption is what Excel, WPS and we write; LibreOffice 7 saves as Standard (AES-128, no integrity check).
    Raises NotSealed, WrongPassword or BrokenSeal.
    """
    if not sealed.startswith(OLE_MAGIC):
        raise NotSealed
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(sealed))
        if isinstance(office, xls97.Xls97File):
            if not office.is_encrypted():
                raise NotSealed
            return _open_old(office, passwords)
        if not isinstance(office, OOXMLFile) or office.type not in OFFICE:
            raise BrokenSeal("kind")
        if office.type == "agile" and office.info["spinValue"] > spin_count:
            raise BrokenSeal("work")
        return _open(office, passwords)
    except (BrokenSeal, WrongPassword, NotSealed):
        raise
    except Exception as error:  # hostile bytes make the library raise anything; all of it means "damaged"
        raise BrokenSeal("damaged") from error


def _open(office: OOXMLFile, passwords: list[str]) -> Opened:
    is_agile = office.type == "agile"
    for index, password in enumerate(passwords):
        try:
            office.load_key(password=password, verify_password=True)
        except InvalidKeyError:
            continue
        out = io.BytesIO()
        office.decrypt(out, verify_integrity=is_agile)
        return Opened(out.getvalue(), index, is_agile)
    raise WrongPassword


def _open_old(office: xls97.Xls97File, passwords: list[str]) -> Opened:
    for index, password in enumerate(passwords):
        try:
            office.load_key(password=password)
        except InvalidKeyError:
            continue
        if office.type not in OLD:
            raise BrokenSeal("kind")
        out = io.BytesIO()
        office.decrypt(out)
        return Opened(out.getvalue(), index, is_intact=False)
    raise WrongPassword
