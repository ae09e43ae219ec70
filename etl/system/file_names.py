"""Names of untrusted files: a form that is safe to show, record and export, and one that is safe as a file name.

A name may hold any bytes except slash and zero: GBK from a Chinese Windows, which Linux cannot decode; characters that
control a terminal or reverse the reading direction; more characters than a file name may have; or a formula.
"""

import re
import unicodedata
from pathlib import Path

#: Replaces a character that is not shown.
GAP = "\ufffd"
#: The most characters that are shown. A longer name is shortened in the middle; its last `END` characters stay.
NAME_LENGTH, END = 120, 20
#: The most bytes of a stem (`safe_stem`): file systems allow 255, and we add a suffix.
STEM_BYTES = 150
#: Characters that begin a formula in a spreadsheet, with their full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Characters that some file system or shell does not allow in a name.
UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f' + GAP + "]")
#: Unicode categories: control, format (such as bidi and zero-width), surrogate, line and paragraph separator.
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: Characters of other categories that show nothing: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\ufdd0-\ufdef\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""`text` as one line of visible characters; every other character is replaced by `GAP`.

    Bytes that are not UTF-8 (Python keeps them as lone surrogates) are decoded as GB 18030 if possible, otherwise
    shown as escapes such as ``\xff``. A path is decoded part by part, since each part may have its own encoding.
    """
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    decoded = "/".join(map(_decoded, text.split("/")))
    return _UNSEEN.sub(GAP, "".join(GAP if _is_hidden(character) else character for character in decoded))


def shown_name(path: Path) -> str:
    """A file's name to show, record and export: visible, not empty, at most `NAME_LENGTH` long, not a formula."""
    name = visible(path.name).strip() or GAP
    if len(name) > NAME_LENGTH:
        name = f"{name[: NAME_LENGTH - END - 1]}…{name[-END:]}"
    return f"'{name}" if name.startswith(FORMULA_STARTS) else name


def safe_stem(path: Path) -> str:
    """The stem for a file of ours that is named after `path`: its name without .xlsx, valid on every file system.

    Any other suffix stays, so that feedback on ``a.xls`` and on ``a.xlsx`` has two names.
    """
    name = visible(path.name)
    stem = UNFIT.sub("_", name[:-5] if name.lower().endswith(".xlsx") else name)
    stem = stem.encode()[:STEM_BYTES].decode(errors="ignore").strip(" .\u3000")
    return f"_{stem}" if not stem or stem.startswith(FORMULA_STARTS) else stem


def _decoded(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        pass
    else:
        return name
    try:
        return name.encode(errors="surrogateescape").decode("gb18030")
    except UnicodeDecodeError:
        return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return name.encode(errors="backslashreplace").decode()


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN or ord(character) & 0xFFFE == 0xFFFE
