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
#: Kinds of encryption that we open: of .xlsx (ECMA-376), and of .xls (RC4, any key length). XOR does not count as one.
OFFICE, OLD = ("agile", "standard"), ("rc4", "rc4_cryptoapi")

# The library runs the 100,000 rounds of key derivation once to make the key, once to verify it, and again whenever the
# file is opened. We cache the last result, which is safe because the library only reads it.
ECMA376Agile._derive_iterated_hash_from_password = staticmethod(
    lru_cache(maxsize=1)(ECMA376Agile._derive_iterated_hash_from_password)
)

# The library decrypts an .xls into a temporary file. Decrypted content must not reach a disk (M18): use memory instead.
xls97.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)


class NotSealed(Exception):
    """The bytes are not an encrypted workbook; they may be an unencrypted one, or anything else."""


class WrongPassword(Exception):
    """None of the passwords opens the workbook."""


class BrokenSeal(Exception):
    """The encrypted workbook cannot be opened. The argument says why.

    ``damaged``; ``kind``: an encryption that we do not support; ``work``: too many rounds of key derivation.
    """


@dataclass(frozen=True)
class Opened:
    """A decrypted workbook (`plain`), and the index of the password that opened it.

    `is_intact` is False if its encryption cannot detect alterations (ECMA-376 Standard, .xls).
    """

    plain: bytes = field(repr=False)
    index: int
    is_intact: bool


def seal(plain: bytes, password: str) -> bytes:
    """Encrypt a workbook. The result is test-opened, since the library makes a few small files unreadable.

    FuxueError if the result does not open.
    """
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


def seal_pdf(plain: bytes, password: str) -> bytes:
    """Encrypt a PDF (AES-256, ISO 32000-2), which WPS, Acrobat and browsers open. FuxueError if it does not open."""
    from pypdf import PasswordType, PdfReader, PdfWriter  # imported here: few commands write a PDF

    writer = PdfWriter(clone_from=io.BytesIO(plain))
    writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    if PdfReader(out).decrypt(password) is PasswordType.NOT_DECRYPTED:
        raise FuxueError("seal.failed")
    return out.getvalue()


def unseal(sealed: bytes, passwords: list[str], *, spin_count: int = 1_000_000) -> Opened:
    """Decrypt a workbook with the first password that fits; check its integrity if its encryption allows that.

    Excel, WPS and we write Agile encryption; LibreOffice 7 writes Standard (AES-128, no integrity check). `spin_count`
    is the most rounds of key derivation that we run. Raises NotSealed, WrongPassword or BrokenSeal.
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
    except Exception as error:  # hostile bytes can make the library raise any error; each one means "damaged"
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
