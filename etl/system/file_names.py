"""What strangers call their files: one form that is safe to show, to keep and to export, and one to name a file after.

A name may hold any bytes but the slash and zero: GBK from a Chinese Windows, which Linux cannot decode, signs that
steer a terminal or turn the reading direction, more characters than another file's name may have, or a formula.
"""

import re
import unicodedata
from pathlib import Path

#: What stands where a sign was taken out.
GAP = "\ufffd"
#: Characters of a name that are shown; of a longer one its beginning and its end, where the suffix is.
NAME_LENGTH, END = 120, 20
#: Bytes of a name that a file of ours may be called after: file systems take 255, and something is added to it.
STEM_BYTES = 150
#: What a spreadsheet takes for the beginning of a formula, full-width signs too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: What some file system or shell cannot have in a name.
UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f' + GAP + "]")
#: Controls, formatting (bidi and zero-width signs are of this kind), halves of surrogate pairs, separators of lines.
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: Signs of other kinds that show nothing: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\ufdd0-\ufdef\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""`text` in one line of signs that can be seen; each other sign is shown as a gap.

    Bytes that are no UTF-8 (Python keeps them as lone surrogates) are read as GB 18030 where they can be, else shown
    as escapes such as ``\xff``. A path is read folder by folder, since each may be written in its own encoding.
    """
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    decoded = "/".join(map(_decoded, text.split("/")))
    return _UNSEEN.sub(GAP, "".join(GAP if _is_hidden(sign) else sign for sign in decoded))


def shown_name(path: Path) -> str:
    """A file's name to show, keep and export: visible, never empty, of bounded length, never a formula."""
    name = visible(path.name).strip() or GAP
    if len(name) > NAME_LENGTH:
        name = f"{name[: NAME_LENGTH - END - 1]}…{name[-END:]}"
    return f"'{name}" if name.startswith(FORMULA_STARTS) else name


def safe_stem(path: Path) -> str:
    """What a file of ours may be called after another: its name without .xlsx, fit for every file system.

    Another suffix stays, so that feedback on ``a.xls`` and on ``a.xlsx`` are two files.
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


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign) in HIDDEN or ord(sign) & 0xFFFE == 0xFFFE
