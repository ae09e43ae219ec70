#!/usr/bin/env python3
"""验证一次公布：任何人都可运行，只需 Python，不需要其他任何东西。 Check a release: for anyone, with Python alone.

    python3 verify_release.py [FOLDER]

The folder holds the release (release.json and its tables) and proof.json, a list of example tables. Each of them is a
complete table of whole numbers that fits every published figure, so any of them could be the true one. If one shows a
withheld count as 0 and another as k or more, nobody can tell from what is published which it is. This program adds
numbers up and compares them; it solves nothing and trusts nobody.

What it proves, what it cannot: see `PROVED` and `NOT_PROVED` below. Exit code 0: it holds; 1: it does not.
"""

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CITY = "city"
SAYS = {
    "file": ("文件 {0} 缺失、不可读或已被改动", "{0} is missing, unreadable or changed"),
    "other": ("proof.json 是另一次公布的证明", "proof.json belongs to another release"),
    "shape": ("第 {0} 张示例表不完整，或含负数、小数", "example {0} is not a whole table of whole numbers from 0 on"),
    "figure": ("第 {0} 张示例表与公布的 {1} 不符", "example {0} does not fit the published {1}"),
    "city": (
        "第 {0} 张示例表的分类合计与全市 {1} 不符",
        "in example {0} the categories do not add up to the city's {1}",
    ),
    "status": ("第 {0} 张示例表与 {1} 的报送状态不符", "example {0} does not fit whether {1} has reported"),
    "small": ("读者可以推知 {0} 在 1 至 {1} 人之间", "a reader can tell that {0} lies within 1 … {1}"),
    "group": ("读者可以推知 {0} 的人全部属于 {1}", "a reader can tell that all of {0} are {1}"),
    "range": ("audit.json 所载 {0} 的范围没有示例表为证", "no examples show the range of {0} in audit.json"),
}
PROVED = (
    "已证实：{tables} 张完整的整数表都与全部公布数字相符。{hidden} 个隐去的数，各自的最小值和最大值都有表为证；"
    "没有一个数（公布与否）能被推知在 1 至 k−1 人之间，没有一组人能被推知全部属于同一情况。",
    "Proved: {tables} whole tables of whole numbers fit every published figure. Both ends of each of {hidden} withheld"
    " figures are reached; no count, printed or not, can be told to be within 1 … k-1, no group to be all in one part.",
)
NOT_PROVED = (
    "不能证实：公布的数字是否属实；读者另有所知（例如自己就是其中一人）时的情形；程序选择隐去哪些数所透露的信息。",
    "Not proved: that the published figures are true; anything against a reader who knows more (say, one of those"
    " counted); what the choice of withheld cells may tell.",
)


class Failed(Exception):
    """Why the release does not hold; the text is in Chinese and English."""

    def __init__(self, key: str, *values: object) -> None:
        """Choose the text."""
        super().__init__(" / ".join(text.format(*values) for text in SAYS[key]))


def load(folder: Path) -> tuple[Any, dict[str, list[dict[str, str]]], Any, Any]:
    """release.json, the printed tables, audit.json and proof.json; every file's digest compared."""
    try:
        raw = (folder / "release.json").read_bytes()
        about = json.loads(raw)
        contents = {}
        for name, digest in about["sha256"].items():
            if not re.fullmatch(r"[a-z0-9_]+\.(csv|json)", name):
                raise Failed("file", name)
            contents[name] = (folder / name).read_bytes()
            if hashlib.sha256(contents[name]).hexdigest() != digest:
                raise Failed("file", name)
        proof = json.loads((folder / "proof.json").read_bytes())
        tables = {
            table["key"]: list(csv.DictReader(contents[table["key"] + ".csv"].decode().splitlines()))
            for table in about["tables"]
        }
        ranges = json.loads(contents["audit.json"])["ranges"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed("file", getattr(error, "filename", None) or "release.json, proof.json") from error
    if proof.get("sha256") != hashlib.sha256(raw).hexdigest():
        raise Failed("other")
    return about, tables, ranges, proof


def examples(proof: Any, rules: Any) -> Iterator[tuple[int, dict[str, dict[str, int]], dict[str, int]]]:
    """Each example: {unit: {state: count}}, {category: count}. Later ones are told as differences from the first."""
    states, units, codes = rules["states"], rules["units"], [c for codes in rules["categories"].values() for c in codes]
    places = [(unit, state) for unit in units for state in states] + [(code, None) for code in codes]
    first = proof["tables"][0] if proof["tables"] else []
    for number, told in enumerate(proof["tables"], 1):
        values = list(first)
        for at, value in [] if number == 1 else told:
            if not isinstance(at, int) or not 0 <= at < len(places):
                raise Failed("shape", number)
            values[at] = value
        if len(values) != len(places) or any(type(value) is not int or value < 0 for value in values):
            raise Failed("shape", number)
        rows: dict[str, dict[str, int]] = {unit: {} for unit in units}
        categories: dict[str, int] = {}
        for (row, state), value in zip(places, values):  # noqa: B905 - of one length; older Pythons know no `strict`
            if state is None:
                categories[row] = value
            else:
                rows[row][state] = value
        yield number, rows, categories


def measured(states: dict[str, int], sums: dict[str, list[str]]) -> dict[str, int]:
    """Every measure of a row: states are added up as the sums say."""

    def value(name: str) -> int:
        return states[name] if name in states else sum(value(part) for part in sums[name])

    return {name: value(name) for name in [*states, *sums]}


def figures_of(number: int, rows: dict[str, dict[str, int]], categories: dict[str, int], rules: Any) -> dict[str, int]:
    """Every figure of an example by its name, `row.measure`; the categories must add up to the city's sums."""
    rows = dict(rows)
    rows[CITY] = {state: sum(row[state] for row in rows.values()) for state in rules["states"]}
    figures = {
        f"{row}.{name}": n for row, states in rows.items() for name, n in measured(states, rules["sums"]).items()
    }
    for name, codes in rules["categories"].items():
        if sum(categories[code] for code in codes) != figures[f"{CITY}.{name}"]:
            raise Failed("city", number, name)
    return figures | {f"{code}.verified": n for code, n in categories.items()}


def fits(number: int, figures: dict[str, int], tables: dict[str, list[dict[str, str]]], rules: Any) -> None:
    """The example agrees with each published figure, and with which units have reported."""
    for lines in tables.values():
        for line in lines:
            name = f"{line['row']}.{line['measure']}"
            if name not in figures or (line["status"] == "published" and figures[name] != int(line["value"])):
                raise Failed("figure", number, name)
    not_due = {line["row"] for lines in tables.values() for line in lines if line["status"] == "not_due"}
    for unit in rules["units"]:
        empty = ("verified",) if unit in not_due else ("unverified",)
        if any(figures[f"{unit}.{name}"] for name in empty):
            raise Failed("status", number, unit)


def groups_of(rules: Any) -> Iterator[tuple[str, list[str]]]:
    """(whole, parts) by figure: of each unit and the city, and the city's sums by category."""
    for row in [*rules["units"], CITY]:
        for whole, parts in rules["groups"]:
            yield f"{row}.{whole}", [f"{row}.{part}" for part in parts]
    every = [f"{code}.verified" for codes in rules["categories"].values() for code in codes]
    yield f"{CITY}.verified", every
    for name, codes in rules["categories"].items():
        yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]


def hidden(tables: dict[str, list[dict[str, str]]]) -> set[str]:
    """Names of the withheld figures."""
    lines = [line for table in tables.values() for line in table if line["status"] == "suppressed"]
    return {f"{line['row']}.{line['measure']}" for line in lines}


def threshold(about: Any, name: str) -> int:
    """The k of a figure: a sensitive category may have its own."""
    return int(about["category_k"].get(name.rsplit(".", 1)[0], about["k"]))


def unread(seen: list[dict[str, int]], about: Any) -> None:
    """No count can be told to be small, and no group to fall into one part: some example shows it otherwise."""
    for name in sorted(set(seen[0]) - set(about["known"])):
        k = threshold(about, name)
        if all(0 < figures[name] < k for figures in seen):
            raise Failed("small", name, k - 1)
    for whole, parts in groups_of(about["structure"]):
        if any(figures[whole] == 0 for figures in seen):
            continue
        for part in parts:
            if all(figures[whole] == figures[part] for figures in seen):
                raise Failed("group", whole, part)


def reached(seen: list[dict[str, int]], about: Any, ranges: Any, withheld: set[str]) -> None:
    """Both ends of each withheld figure's range are shown, and neither is passed."""
    if set(ranges) != withheld:
        raise Failed("range", ", ".join(sorted(set(ranges) ^ withheld)))
    for name, (low, high) in ranges.items():
        least, most = (end(figures[name] for figures in seen) for end in (min, max))
        if least != low or (most < threshold(about, name) if high is None else most != high):
            raise Failed("range", name)


def check(folder: Path) -> tuple[int, int]:
    """How many examples and withheld figures there are; Failed says what does not hold."""
    about, tables, ranges, proof = load(folder)
    try:
        rules, seen = about["structure"], list[dict[str, int]]()
        for number, rows, categories in examples(proof, rules):
            figures = figures_of(number, rows, categories, rules)
            fits(number, figures, tables, rules)
            seen.append(figures)
        if not seen:
            raise Failed("shape", 1)
        unread(seen, about)
        reached(seen, about, ranges, hidden(tables))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Failed("file", "proof.json") from error
    return len(seen), len(ranges)


def main() -> int:
    """Say in Chinese and in English what was found."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    try:
        tables, withheld = check(folder)
    except Failed as failed:
        print(f"不成立 / does not hold: {failed}")
        return 1
    for text in (*PROVED, *NOT_PROVED):
        print(text.format(tables=tables, hidden=withheld))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
