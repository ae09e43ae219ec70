"""The work summary (工作总结, M14) as a Word document: drafted from figures, each with its source in a footnote."""

import datetime as dt
import io
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from etl.report.footnotes import Footnotes

#: Values by the names that `summary_document.toml` uses: numbers, and texts that `summary_list` made.
Facts = Mapping[str, int | str]
_MARGINS = {"top_margin": 3.7, "bottom_margin": 3.5, "left_margin": 2.8, "right_margin": 2.6}  # cm, GB/T 9704


@cache
def summary_words() -> dict[str, Any]:
    """The content of `summary_document.toml`."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def summary_list(numbers: Mapping[str, int], kind: str = "item") -> str:
    """Names with their numbers, without those that are zero, in the words of ``[words]``; ``无`` if all are."""
    form = summary_words()["words"]
    parts = [
        (form["item"] if kind == "item" else form[name]).format(name=name, number=number)
        for name, number in numbers.items()
        if number
    ]
    return "、".join(parts) or "无"


def build_summary(facts: Facts, day: dt.date) -> bytes:
    """The document, unencrypted. `facts` has all that the texts name, and the `signer`."""
    words, document = summary_words(), Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    for name, size in _MARGINS.items():
        setattr(section, name, Cm(size))
    document.core_properties.title = words["title"].format(**facts)
    document.core_properties.created = document.core_properties.modified = dt.datetime(day.year, day.month, day.day)
    notes = Footnotes(document)
    _line(document, words["title"].format(**facts), 22, bold=True).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _body(document, words["preface"].format(**facts))
    for part in words["sections"]:
        _line(document, part["heading"], 16, font="黑体").paragraph_format.keep_with_next = True
        if part.get("to_write"):
            _body(document, words["to_write"])
            continue
        paragraph = _body(document, "")
        said = [sentence for sentence in part["sentences"] if _stands(sentence, facts)]
        for number, sentence in enumerate(said, start=1):
            _run(paragraph, sentence["text"].format(**facts), 16, "仿宋")
            source = sentence.get("source")
            # A source is given once in a paragraph, behind the last sentence that draws on it.
            if source and source not in (later.get("source") for later in said[number:]):
                notes.add(paragraph, words["sources"][source].format(**facts))
    for text in (str(facts["signer"]), chinese_day(day)):
        _line(document, text, 16, font="仿宋").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _page_number(document, words["page"])
    notes.finish()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def chinese_day(day: dt.date) -> str:
    """A day as official documents write it."""
    return f"{day.year}年{day.month}月{day.day}日"


def _stands(sentence: Mapping[str, str], facts: Facts) -> bool:
    if "if" in sentence:
        return bool(facts[sentence["if"]])
    return "unless" not in sentence or not facts[sentence["unless"]]


def _line(document: WordDocument, text: str, size: int, *, font: str = "宋体", bold: bool = False) -> Paragraph:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(4)
    _run(paragraph, text, size, font).bold = bold
    return paragraph


def _body(document: WordDocument, text: str) -> Paragraph:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.first_line_indent = Pt(32)
    paragraph.paragraph_format.line_spacing = Pt(29)
    if text:
        _run(paragraph, text, 16, "仿宋")
    return paragraph


def _run(paragraph: Paragraph, text: str, size: int, font: str) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), "Times New Roman"
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _page_number(document: WordDocument, form: str) -> None:
    """The page's number at the foot, as a field that Word fills in."""
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, _, after = form.partition("{page}")
    paragraph.add_run(before)
    run = paragraph.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)
    paragraph.add_run(after)
