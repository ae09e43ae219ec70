"""Releases written by hand for the citizen's program: a city of two units, and examples of two or three tables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etl.exchange.release_folder import VERIFIER, sha256, write_sums
from etl.proof import verify_release
from etl.proof.verify_release import Failed

STATES = ["unverified", "deducted", "returned", "still_out"]
SUMS = {"suspected": ["unverified", "verified"], "verified": ["deducted", "to_return"],
        "to_return": ["returned", "still_out"]}  # fmt: skip
RULES = {
    "units": ["a", "b"],
    "areas": {"city": ["a", "b"]},
    "states": STATES,
    "sums": SUMS,
    "categories": {"deducted": ["A"], "to_return": ["I", "K"]},
}
MEASURES = [*SUMS, *STATES]
Lines = Mapping[str, str]


def about_of(number: int = 1, **entries: Any) -> dict[str, Any]:
    """A release of nothing but what tables must show: the city's listed, units' returned, categories."""
    tables = [
        ("city", "city", ["suspected"]),
        ("units", "unit", ["returned"]),
        ("categories", "category", ["verified"]),
    ]
    return {
        "release": f"{number:04}", "campaign": "here", "as_of": "2019-03-04", "closing": True, "k": 5,
        "category_k": {}, "known": ["city.suspected"], "structure": RULES, "earlier": {},
        "assumed": {"key": "none", "fixed": [], "grows": []},
        "tables": [{"key": key, "rows": rows, "measures": names, "title": "表", "title_en": "Table"}
                   for key, rows, names in tables],
    } | entries  # fmt: skip


#: Every figure by its name, in the closing release that all tests begin with.
FIGURES: Lines = {
    "city.suspected": "exact,100,100,100,",
    "a.returned": "interval,,0,5,",
    "b.returned": "interval,,6,11,",
    "A.verified": "interval,,30,41,",
    "I.verified": "interval,,0,5,",
    "K.verified": "interval,,54,70,",
}


def table_of(a: dict[str, int], b: dict[str, int], i: int) -> dict[str, int]:
    """A complete table from both units' states and the first category of those to return."""
    rows = {"a": dict.fromkeys(STATES, 0) | a, "b": dict.fromkeys(STATES, 0) | b}
    rows["city"] = {state: rows["a"][state] + rows["b"][state] for state in STATES}
    found: dict[str, int] = {}
    for row, states in rows.items():
        to_return = states["returned"] + states["still_out"]
        verified = states["deducted"] + to_return
        sums = {"to_return": to_return, "verified": verified, "suspected": verified + states["unverified"]}
        found |= {f"{row}.{name}": value for name, value in (states | sums).items()}
    total = found["city.to_return"]
    return found | {"A.verified": found["city.deducted"], "I.verified": i, "K.verified": total - i}


#: Two tables that reach every end between them.
LOW = table_of({"deducted": 10, "returned": 0, "still_out": 20}, {"deducted": 20, "returned": 6, "still_out": 44}, 0)
HIGH = table_of({"deducted": 21, "returned": 5, "still_out": 9}, {"deducted": 20, "returned": 11, "still_out": 34}, 5)
MORE = table_of({"deducted": 0, "returned": 3, "still_out": 0}, {"deducted": 36, "returned": 8, "still_out": 53}, 3)


def written(folder: Path, about: Mapping[str, Any], lines: Lines, examples: list[list[int]], counts: list[str]) -> Path:
    """A release folder with this content, sealed."""
    here = folder / str(about["release"])
    here.mkdir(parents=True)
    for table in about["tables"]:
        rows = {"city": ["city"], "unit": ["a", "b"], "category": ["A", "I", "K"]}[table["rows"]]
        text = [f"{row},{name},{lines[f'{row}.{name}']}" for row in rows for name in table["measures"]]
        content = "\n".join(["row,measure,status,value,low,high,rounded", *text, ""])
        (here / f"{table['key']}.csv").write_text(content, "utf-8")
    (here / "release.json").write_text(json.dumps(about), "utf-8")
    proof = {"release": about["release"], "sha256": sha256((here / "release.json").read_bytes()),
             "counts": counts, "examples": examples}  # fmt: skip
    (here / "proof.json").write_text(json.dumps(proof), "utf-8")
    (here / "verify_release.py").write_bytes(VERIFIER.read_bytes())
    write_sums(here)
    return here


def reason(
    folder: Path, lines: Lines | None = None, tables: list[dict[str, int]] | None = None, **entries: Any
) -> tuple[str, str]:
    """The key for which a single release is refused, and its words; both empty if it holds."""
    names = sorted(LOW)
    examples = [[table[name] for name in names] for table in (tables or [LOW, HIGH, MORE])]
    here = written(folder, about_of(**entries), {**FIGURES, **(lines or {})}, examples, [f"0001/{n}" for n in names])
    try:
        verify_release.check(here)
    except Failed as failed:
        return failed.key, str(failed)
    return "", ""
