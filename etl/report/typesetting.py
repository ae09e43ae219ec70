"""PDF documents: a typst template (`print/*.typ`) and its data; the machine's fonts, embedded as far as used."""

import datetime as dt
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typst

from etl.findings import FuxueError

_TEMPLATES = Path(__file__).resolve().parent / "print"
#: Refuses a text for which there is no glyph (and has any text as text), so that nothing is left out unseen.
_STANDARD = "a-2u"
_WITHOUT_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
#: Stands in print for a character that no font has, to be written in by hand.
MISSING = "〓"


@dataclass(frozen=True)
class Printed:
    """A PDF, and the characters that no font of this machine has: `MISSING` stands in their place."""

    pdf: bytes
    missing: tuple[str, ...] = ()


def print_pdf(template: str, data: Mapping[str, Any], day: dt.date) -> Printed:
    """Fill `print/<template>.typ` with `data` (JSON, with a `title`); `day` is the day that the file says it was made.

    FuxueError if the machine has no Chinese font.
    """
    text, missing = json.dumps({**data, "fonts": fonts()}, ensure_ascii=False), list[str]()
    made = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    while True:
        try:
            # Without tags for screen readers, which these papers do not need: a file has a tenth of the objects.
            pdf = _compiler(template).compile(
                sys_inputs={"data": text}, pdf_standards=_STANDARD, timestamp=made, pdf_tags=False
            )
        except typst.TypstError as error:
            found = _WITHOUT_GLYPH.search(error.message)
            without = [one for one in _plain(found[1]) if one in text and one != MISSING] if found else []
            if not without:
                raise
            missing += without
            text = text.translate({ord(one): MISSING for one in without})
            continue
        return Printed(pdf, tuple(missing))


@cache
def fonts() -> tuple[str, ...]:
    """The fonts to print with, by family: one for all of a text, and those for rare characters. FuxueError if none."""
    families = {name.lower() for name in typst.Fonts(include_embedded_fonts=False).families()}
    wanted = tomllib.loads((_TEMPLATES / "fonts.toml").read_text(encoding="utf-8"))
    song, rare = ([name for name in wanted[kind] if name.lower() in families] for kind in ("song", "rare"))
    if not song:
        raise FuxueError("document.no_font", fonts="、".join(wanted["song"][:1] + wanted["song"][-5:-3]))
    return tuple(dict.fromkeys((song[0], *rare)))


@cache
def _compiler(template: str) -> Any:
    """The compiler of a template, which keeps the fonts that it has read."""
    return typst.Compiler(input=_TEMPLATES / f"{template}.typ", root=_TEMPLATES)


def _plain(shown: str) -> str:
    """A text as typst shows it in a message, where what is not printable is its code: u{e863} after a backslash."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), shown)
