"""The file as a whole: damaged, foreign, misnamed, sealed under another password or with a forged descriptor."""

import base64
import gzip
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

import olefile

from etl.system.sealing import OLE_MAGIC
from tests.support.hostile.case import FIRST_ROW, Case, Fate, Good, Way, encrypted, rules, with_texts

DAMAGED = rules("F01", "F02", "F04", "F21")
TABLE = "原始序号,省份,地市,区县,姓名\n1,虚构省,虚构市,青石县,某某\n"


def cases(good: Good) -> Iterator[Case]:
    """Whole-file cases."""
    yield from _damaged(good)
    yield from _passwords(good)
    yield from _descriptors(good)
    yield from _payloads(good)
    yield from _foreign(good)
    yield from _names(good)


def _damaged(good: Good) -> Iterator[Case]:
    for way, content in ((Way.RAW, good.sealed), (Way.PLAIN, good.plain)):
        for share in range(5, 100, 5):
            cut = content[: len(content) * share // 100]
            yield Case("truncated", f"{way} {share}%", partial(bytes, cut), way=way, rules=DAMAGED)
        for seed in range(40):
            spoiled = _flipped(content, seed, 1 + seed % 3)
            yield Case("bit flip", f"{way} {seed}", partial(bytes, spoiled), Fate.EITHER, way)
        for at in range(10):
            hole = len(content) * at // 10
            blank = content[:hole] + bytes(64) + content[hole + 64 :]
            yield Case("hole", f"{way} {at}", partial(bytes, blank), Fate.EITHER, way)
        for name, made in (("doubled", content * 2), ("after junk", b"\r\n" + content), ("tail", content + bytes(99))):
            yield Case("padded", f"{way} {name}", partial(bytes, made), Fate.EITHER, way)


def _flipped(content: bytes, seed: int, bits: int) -> bytes:
    random_ = random.Random(f"flip:{seed}:{len(content)}")
    spoiled = bytearray(content)
    for at in random_.sample(range(len(spoiled)), bits):
        spoiled[at] ^= 1 << random_.randrange(8)
    return bytes(spoiled)


def _passwords(good: Good) -> Iterator[Case]:
    right = good.password
    wrong = {
        "empty": "", "usual": "123456", "upper": right.upper(), "short": right[:-1],
        "no dashes": right.replace("-", ""),
        "space after": f"{right} ", "space before": f" {right}", "reversed": right[::-1], "long": right * 8,
        "full width": "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in right),
    }  # fmt: skip
    for name, password in wrong.items():
        yield Case("password", name, partial(encrypted, good.plain, password), way=Way.RAW, rules=rules("F02"))
    yield Case("password", "another unit's", lambda: encrypted(good.plain, good.other_password), way=Way.RAW,
               rules=rules("F09"))  # fmt: skip


def _descriptor(good: Good, change: Callable[[str], str]) -> bytes:
    """The sealed workbook with its encryption descriptor changed in place; its blanks make room."""
    end = b"</encryption>"
    start = good.sealed.index(b"<?xml")
    stop = good.sealed.index(end, start) + len(end)
    before = good.sealed[start:stop].decode()
    after = change(before)
    assert after != before
    after = re.sub(r"\s+", " ", after)
    assert len(after) <= len(before)
    return good.sealed[:start] + after.ljust(len(before)).encode() + good.sealed[stop:]


def _descriptors(good: Good) -> Iterator[Case]:
    flipped = ["encryptedHmacKey", "encryptedHmacValue", "encryptedVerifierHashInput", "encryptedVerifierHashValue",
               "encryptedKeyValue", "saltValue"]  # fmt: skip
    for field in flipped:
        for at in (0, 7, 15):
            yield Case("forged seal", f"{field} byte {at}", partial(_flip_field, good, field, at),
                       way=Way.RAW, rules=DAMAGED)  # fmt: skip
    values = {
        "spinCount": ("10000000", "1000001", "99999", "0", "-1", "4294967295", "abc", ""),
        "cipherAlgorithm": ("DES", "AE"), "hashAlgorithm": ("SHA1", "SHA9", ""), "keyBits": ("128", "0", "99999999"),
        "blockSize": ("0", "99999999"), "hashSize": ("0", "20"), "cipherChaining": ("ChainingModeCFB",),
    }  # fmt: skip
    for field, texts in values.items():
        for text in texts:
            # Fields that this reader never asks for may say anything: what they seal is still checked.
            unread = {"keyBits", "blockSize", "hashSize", "cipherAlgorithm", "cipherChaining"}
            fate = Fate.EITHER if field in unread else Fate.REFUSED
            yield Case("forged seal", f"{field}={text}", partial(_set_field, good, field, text),
                       fate, Way.RAW, DAMAGED)  # fmt: skip
    for size in (0, 1, len(good.plain) - 1, len(good.plain) + 1, 1 << 31, (1 << 63) - 1):
        yield Case("forged seal", f"package size {size}", partial(_package_size, good, size), way=Way.RAW,
                   rules=DAMAGED)  # fmt: skip


def _flip_field(good: Good, field: str, at: int) -> bytes:
    def change(xml: str) -> str:
        found = re.search(rf'{field}="([^"]*)"', xml)
        assert found is not None
        value = bytearray(base64.b64decode(found[1]))
        value[at] ^= 1
        return xml[: found.start(1)] + base64.b64encode(value).decode() + xml[found.end(1) :]

    return _descriptor(good, change)


def _set_field(good: Good, field: str, text: str) -> bytes:
    return _descriptor(good, lambda xml: re.sub(rf'{field}="[^"]*"', f'{field}="{text}"', xml))


def _package_size(good: Good, size: int) -> bytes:
    with olefile.OleFileIO(io.BytesIO(good.sealed)) as container:
        begin = container.openstream("EncryptedPackage").read()[:32]
    assert int.from_bytes(begin[:8], "little") == len(good.plain)
    return good.sealed.replace(begin, size.to_bytes(8, "little") + begin[8:], 1)


def _payloads(good: Good) -> Iterator[Case]:
    """Whatever was sealed under the right password is still judged."""
    payloads = {
        "nothing": b"", "text": TABLE.encode() * 200, "sealed again": good.sealed, "document": _document(),
        "zeros": bytes(8000), "zip start": b"PK\x03\x04" + bytes(8000), "half": good.plain[:7000],
    }  # fmt: skip
    for name, payload in payloads.items():
        yield Case("payload", name, partial(encrypted, payload, good.password), way=Way.RAW,
                   rules=rules("F01", "F04"))  # fmt: skip


def _document() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", f"<document>{'文' * 9000}</document>")
    return out.getvalue()


def _zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return out.getvalue()


def _foreign(good: Good) -> Iterator[Case]:
    html = f"<html><table><tr><td>{TABLE}</td></tr></table></html>".encode()
    spread = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    contents: dict[str, bytes] = {
        "empty": b"", "one byte": b"P", "two bytes": b"PK", "newline": b"\r\n", "csv gb18030": TABLE.encode("gb18030"),
        "csv utf-8": TABLE.encode(), "csv bom": TABLE.encode("utf-8-sig"), "csv utf-16": TABLE.encode("utf-16"),
        "tsv": TABLE.replace(",", "\t").encode(), "html": html, "mhtml": b"MIME-Version: 1.0\r\n\r\n" + html,
        "json": b'{"rows": [1]}', "pdf": b"%PDF-1.7\n%%EOF", "rtf": b"{\\rtf1 x}", "spreadsheetml": spread,
        "png": bytes.fromhex("89504e470d0a1a0a"), "elf": b"\x7fELF" + bytes(60), "exe": b"MZ" + bytes(60),
        "sqlite": b"SQLite format 3\0" + bytes(84), "gzip": gzip.compress(good.plain, mtime=0),
        "7z": bytes.fromhex("377abcaf271c0004"), "rar": b"Rar!\x1a\x07\x01\x00", "docx": _document(),
        "zip of it": _zipped("donggang.xlsx", good.sealed), "zip of plain": _zipped("donggang.xlsx", good.plain),
        "empty zip": b"PK\x05\x06" + bytes(18), "zip start": b"PK\x03\x04", "zeros": bytes(100_000),
        "base64": base64.b64encode(good.sealed), "hex": good.plain.hex().encode(), "reversed": good.plain[::-1],
        "ole magic": OLE_MAGIC, "ole zeros": OLE_MAGIC + bytes(4096), "ole ones": OLE_MAGIC + b"\xff" * 8192,
        "ole random": OLE_MAGIC + random.Random(3).randbytes(8192), "shortcut": b"L\0\0\0\x01\x14\x02\0" + bytes(68),
        "biff2": bytes.fromhex("0900040002001000"), "biff8": bytes.fromhex("0908100000060500"),
        "lone eocd": b"PK\x05\x06",
    }  # fmt: skip
    for at, (name, content) in enumerate(contents.items()):
        suffix = (".xlsx", ".xls")[at % 2]
        yield Case("foreign", name, partial(bytes, content), way=(Way.PLAIN, Way.RAW)[at % 2],
                   rules=rules("F01", "F03", "F04", "F21"), file="{number}-donggang" + suffix)  # fmt: skip
    # An ordinary .xls may be let in on record; sealed returns are asked for, so without that it is refused.
    out = _zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")
    yield Case("foreign", "ods", lambda: out, way=Way.RAW, rules=rules("F01", "F03"), file="{number}.ods")
    yield Case("foreign", "unsealed", lambda: good.plain, way=Way.RAW, rules=rules("F03"))


def _names(good: Good) -> Iterator[Case]:
    """A name decides nothing: the right file under a strange name is the right file."""
    names = [
        "..%2f..%2fvault-{number}.xlsx", "{number}.xls", "{number}.csv", "{number}", "{number} 副本 (2).xlsx",
        "{number}-\u202excod.xlsx", "{number}-=cmd|calc.xlsx", "{number}\n.xlsx", "{number}" + "长" * 70 + ".xlsx",
        "{number};rm -rf.xlsx", "{number}$(id).xlsx", "{number}-xiling.xlsx", "{number}'\"--.xlsx", "{number}<b>.xlsx",
    ]  # fmt: skip
    for at, name in enumerate(names):
        serial = good.serials[at]
        answer = (*good.answers[serial][:2], "测试员甲")
        cell = f"K{FIRST_ROW + at}"
        yield Case("name", name, partial(with_texts, good.plain, **{cell: '测试员甲'}), Fate.HARMLESS,
                   changed=({serial: answer},), file=name)  # fmt: skip
    yield Case("name", "handed out", lambda: good.handed, rules=rules("A01", "F16"))
