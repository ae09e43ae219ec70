"""Case files as pages: what `print/cases.typ` is given (texts: `case_file_pages.toml`)."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from etl.exchange.case_file import CaseFile
from etl.forms.definitions import PAPERS
from etl.forms.id_number import birth_of

#: The two copies of every file (M16): the bureau's and the unit's.
COPIES = ("bureau", "unit")


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def case_pages(
    files: Sequence[CaseFile], copies: Sequence[str], unit: str, labels: Mapping[str, tuple[str, str]], *, bound: bool
) -> dict[str, Any]:
    """The data of the template: each file in each of `copies`; with contents if it is a `bound` volume.

    `unit` is the unit's printed name, `labels` are (label, definition) of the categories by code.
    """
    words = _texts()
    contents = words["contents"].format(unit=unit, copy=words["copies"][copies[0]]) if bound else ""
    return {
        "title": words["heading"],
        **{key: words[key] for key in ("heading", "contents_heads", "sign", "signatures_title", "signatures")},
        "contents": contents,
        "files": [_file(one, copy, unit, labels) for one in files for copy in copies],
    }


def _file(one: CaseFile, copy: str, unit: str, labels: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    words = _texts()
    reference = f"{one.issue}-{one.serial}"
    label, definition = labels[one.category]
    state = words["closed" if one.is_closed else "open"]
    born = birth_of(one.child["id_number"])
    known = {
        **one.child, **one.work, "birth": born.isoformat() if born else "", "category": label,
        "returned": one.returned, "team": one.team, "state": state, "definition": definition,
    }  # fmt: skip
    signed = [(words["signed"][act], day, members) for act, day, members in one.signed]
    papers = [(PAPERS[kind], about, dated, place) for kind, about, dated, place in one.papers]
    return {
        "reference": words["reference"].format(reference=reference, unit=unit),
        "copy": words["copies"][copy],
        "line": [reference, one.child["name"], label, state],
        "identity": _pairs(words["identity"], known),
        "identity_wide": _pairs(words["identity_wide"], known),
        "sections": [
            *(_facts(words[name], known) for name in ("verification", "reason", "measures", "schooling")),
            _listing("events", one.events),
            _listing("papers", papers),
            _listing("signed", signed),
        ],
    }


def _pairs(names: Mapping[str, str], known: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, known.get(key, "")) for key, name in names.items() if key != "title"]


def _facts(words: Mapping[str, str], known: Mapping[str, str]) -> dict[str, Any]:
    pairs = _pairs(words, known)
    if len(pairs) % 2:
        pairs.append(("", ""))
    return {"kind": "facts", "title": words["title"], "rows": pairs}


def _listing(name: str, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    words = _texts()[name]
    return {
        "kind": "listing",
        "title": words["title"],
        "columns": words["columns"],
        "heads": words["heads"],
        "rows": [list(row) for row in rows],
        "empty": _texts()["nothing"],
    }
