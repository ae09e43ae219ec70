"""PDFs: real text in embedded Chinese fonts; what no font has is marked and reported, never left out."""

import datetime as dt
import io
from typing import Any

import pytest
import typst
from pypdf import PdfReader

from etl.findings import FuxueError
from etl.report import typesetting
from etl.report.typesetting import MISSING, print_pdf
from etl.system.sealing import seal_pdf
from tests.support.fonts import needs_fonts

pytestmark = needs_fonts

DAY = dt.date(2019, 3, 4)
#: U+20BB7 is in the fonts that Debian brings; the other two, of Extension B and of private use, are not.
HAD, LACKED = "𠮷", ("𠀀", "\ue863")


def letter(*paragraphs: str) -> dict[str, object]:
    return {"title": "通知单", "sign": "", "flipped": False, "to": "某镇", "paragraphs": paragraphs, "tables": [],
            "from": "某局", "date": "2019-03-04", "receipt": [("签收人", "")]}  # fmt: skip


def text(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")


def test_text_is_real_text_in_embedded_fonts() -> None:
    printed = print_pdf("letter", letter("原始序号 0001，王小明，二十三号。"), DAY)
    assert "王小明" in text(printed.pdf)
    assert printed.missing == ()
    pages: Any = PdfReader(io.BytesIO(printed.pdf)).pages
    used = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    assert used
    for font in used:
        (own,) = font["/DescendantFonts"]
        assert {"/FontFile3", "/FontFile2"} & set(own.get_object()["/FontDescriptor"])
        assert "/ToUnicode" in font


def test_a_rare_character_is_printed_and_one_that_no_font_has_is_marked_and_reported() -> None:
    printed = print_pdf("letter", letter(f"王{HAD}，王{LACKED[0]}，王{LACKED[1]}，再写{LACKED[0]}。"), DAY)
    assert sorted(printed.missing) == sorted(LACKED)
    assert f"王{HAD}，王{MISSING}，王{MISSING}，再写{MISSING}。" in text(printed.pdf)


def test_markup_in_a_text_is_text() -> None:
    wild = '#panic("x") *a* $x$ \\u{41} <b> `c` "d" {e}'
    assert wild.replace(" ", "") in text(print_pdf("letter", letter(wild), DAY).pdf).replace(" ", "").replace("”", '"')


def test_the_same_data_make_the_same_file() -> None:
    assert print_pdf("letter", letter("一"), DAY) == print_pdf("letter", letter("一"), DAY)


def test_a_machine_without_chinese_fonts_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare:
        def __init__(self, **_: object) -> None: ...

        def families(self) -> list[str]:
            return ["DejaVu Sans"]

    monkeypatch.setattr(typst, "Fonts", Bare)
    typesetting.fonts.cache_clear()
    with pytest.raises(FuxueError, match=r"document\.no_font"):
        print_pdf("letter", letter("一"), DAY)
    typesetting.fonts.cache_clear()


def test_a_sealed_pdf_opens_with_its_password_alone() -> None:
    sealed = seal_pdf(print_pdf("letter", letter("王小明"), DAY).pdf, "abcd-efgh")
    reader = PdfReader(io.BytesIO(sealed))
    assert reader.is_encrypted
    assert reader._encryption is not None
    assert reader._encryption.R == 6  # ISO 32000-2: AES-256
    assert not reader.decrypt("")
    assert not reader.decrypt("abcd-efgi")
    assert reader.decrypt("abcd-efgh")
    assert "王小明" in "".join(page.extract_text() for page in reader.pages)
    assert "王小明".encode("utf-16-be") not in sealed
