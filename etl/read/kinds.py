"""The format of a file, by its content; its name is only a hint and often wrong."""

import io
import zipfile

import olefile

from etl.system.sealing import OLE_MAGIC, ZIP_MAGIC

ODS = b"application/vnd.oasis.opendocument.spreadsheet"
#: The formats that we read, unsealed.
READABLE = ("xlsx", "xls", "ods")


def kind_of(data: bytes) -> tuple[str, zipfile.ZipFile | olefile.OleFileIO | None]:
    """(format, the opened container or None).

    The format is one of `READABLE`, the usual name of another format, or empty if the file is no workbook.
    """
    try:
        if data.startswith(ZIP_MAGIC):
            package = zipfile.ZipFile(io.BytesIO(data))
            return _package(package), package
        if data.startswith(OLE_MAGIC):
            ole = olefile.OleFileIO(io.BytesIO(data))
            return _compound(ole), ole
    except Exception:  # noqa: BLE001 - a damaged container can make the libraries raise any error
        return "", None
    return "", None


def _package(package: zipfile.ZipFile) -> str:
    names = package.namelist()
    office, open_document = "xl/workbook.xml" in names, "content.xml" in names
    if office and open_document:
        return ""  # two workbooks in one file: different programs would show different ones
    if office:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return ".xlsb"
    if "mimetype" not in names or package.getinfo("mimetype").file_size > 100 or package.read("mimetype") != ODS:
        return ""
    is_sealed = "encrypted-package" in names or b"encryption-data" in _start(package, "META-INF/manifest.xml")
    return ".ods（已加密）" if is_sealed else "ods" if open_document else ""


def _start(package: zipfile.ZipFile, name: str) -> bytes:
    if name not in package.namelist():
        return b""
    with package.open(name) as part:
        return part.read(1 << 20)


def _compound(ole: olefile.OleFileIO) -> str:
    if ole.exists("Workbook"):
        return "xls"
    return ".xls（Excel 95）" if ole.exists("Book") else ""
