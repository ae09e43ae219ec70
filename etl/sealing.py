"""Workbooks under a password (M18): ECMA-376 agile encryption, AES-256, opens in Excel, WPS and LibreOffice."""

import io
import zipfile

import msoffcrypto
from msoffcrypto.exceptions import InvalidKeyError
from msoffcrypto.format.ooxml import OOXMLFile

from etl.findings import FuxueError

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_MAGIC = b"PK\x03\x04"


class NotSealed(Exception):
    """The bytes are no encrypted workbook; `plain` tells whether they are an ordinary one."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__("not sealed")
        self.plain = plain


class WrongPassword(Exception):
    """None of the passwords opens the workbook."""


class BrokenSeal(Exception):
    """The encrypted workbook is damaged, of an unknown kind, or asks for too much work (`reason`)."""


def seal(plain: bytes, password: str) -> bytes:
    """The workbook encrypted; opened again before it is returned, since a few small payloads come out unreadable."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt(password, out)
    sealed = out.getvalue()
    if not sealed.startswith(OLE_MAGIC) or unseal(sealed, [password])[0] != plain:
        raise FuxueError("seal.failed")
    return sealed


def unseal(sealed: bytes, passwords: list[str], *, spin_count: int = 1_000_000) -> tuple[bytes, int]:
    """The plain workbook and the index of the password that opened it, its integrity checked.

    Raises NotSealed, WrongPassword or BrokenSeal.
    """
    if not sealed.startswith(OLE_MAGIC):
        raise NotSealed(plain=_is_workbook(sealed))
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(sealed))
        if not isinstance(office, OOXMLFile) or office.type != "agile":
            raise BrokenSeal("kind")
        if office.info["spinValue"] > spin_count:
            raise BrokenSeal("spin")
        return _open(office, passwords)
    except (BrokenSeal, WrongPassword):
        raise
    except Exception as error:  # hostile bytes make the library raise anything; all of it means "damaged"
        raise BrokenSeal(type(error).__name__) from error


def _open(office: OOXMLFile, passwords: list[str]) -> tuple[bytes, int]:
    for index, password in enumerate(passwords):
        try:
            office.load_key(password=password, verify_password=True)
        except InvalidKeyError:
            continue
        out = io.BytesIO()
        office.decrypt(out, verify_integrity=True)
        return out.getvalue(), index
    raise WrongPassword


def _is_workbook(data: bytes) -> bool:
    if not data.startswith(ZIP_MAGIC):
        return False
    try:
        return "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
