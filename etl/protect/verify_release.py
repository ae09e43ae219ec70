#!/usr/bin/env python3
"""验证一次公布：任何人都可运行，只需 Python，不需要其他任何东西。 Check a release: for anyone, with Python alone.

    python3 verify_release.py [FOLDER]

The folder holds the release (release.json and its tables) and proof.json, a list of examples; releases before it lie in
folders beside it. An example is one complete table of whole numbers for each release so far, which together fit every
figure ever published, exact or rounded, so any example could be the truth. If one shows a count as 0 and another as k
or more, nobody can tell from what is published which it is. This program adds numbers up and compares them; it solves
nothing and trusts nobody.

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
        "example {0}: categories do not add up to the city's {1}",
    ),
    "status": ("第 {0} 张示例表与 {1} 的报送状态不符", "example {0} does not fit whether {1} has reported"),
    "earlier": ("没有把此前的每一次公布都算在内", "it does not take every release before it into account"),
    "rules": ("第 {0} 次公布所用的规则与这次不同", "release {0} follows other rules"),
    "moves": ("第 {0} 张示例表中 {1} 的变动与所作假设不符", "in example {0}, {1} moves as it was assumed not to"),
    "narrow": (
        "读者可以推知 {0} 是少于 {1} 个数中的一个",
        "a reader can tell {0} to be one of fewer than {1} values",
    ),
    "small": ("读者可以推知 {0} 在 1 至 {1} 人之间", "a reader can tell that {0} lies within 1 … {1}"),
    "group": ("读者可以推知 {0} 的人全部属于 {1}", "a reader can tell that all of {0} are {1}"),
    "range": ("audit.json 所载 {0} 的范围没有示例表为证", "no examples show the range of {0} in audit.json"),
}
PROVED = (
    "已证实：{tables} 组完整的整数表都与历次公布的全部数字相符。{hidden} 个隐去的数，各自的最小值和最大值都有表为证；"
    "最终公布之前，每个未确切公布的数至少有 k 个可能的值；最终公布中，没有一个数能被推知在 1 至 k−1 人之间，"
    "没有一组人能被推知全部属于同一情况。这里 k = {k}{own}；视为人人已知的合计：{known}；所作假设：{assumed}。",
    "Proved: {tables} sets of whole tables of whole numbers fit every figure of every release so far. Both ends of each"
    " of {hidden} withheld figures are reached. Before the close, every count that is not told exactly may be one of at"
    " least k values; at the close, no count can be told to be within 1 … k-1, no group to be all in one part."
    " Here k = {k}{own}; taken as known to everybody: {known}; assumed: {assumed}.",
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


Lines = dict[str, list[dict[str, str]]]


def load(folder: Path) -> tuple[Any, Lines, Any, str]:
    """release.json, the printed tables, audit.json, and the digest of the first, which holds those of the others."""
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
        tables = {
            table["key"]: list(csv.DictReader(contents[table["key"] + ".csv"].decode().splitlines()))
            for table in about["tables"]
        }
        ranges = json.loads(contents["audit.json"])["ranges"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed("file", getattr(error, "filename", None) or f"{folder.name}/release.json") from error
    return about, tables, ranges, hashlib.sha256(raw).hexdigest()


def load_earlier(folder: Path, about: Any) -> Iterator[tuple[Any, Lines]]:
    """All releases before, oldest first: unchanged since this one was made, and following the same rules."""
    if sorted(about["earlier"]) != [f"{number:04}" for number in range(1, int(about["release"]))]:
        raise Failed("earlier")
    for name, digest in sorted(about["earlier"].items()):
        sooner, tables, _, found = load(folder.parent / name)
        if found != digest:
            raise Failed("file", name)
        if any(sooner[rule] != about[rule] for rule in ("campaign", "structure", "k", "category_k", "known")):
            raise Failed("rules", name)
        yield sooner, tables


def examples(proof: Any, rules: Any, releases: int) -> Iterator[tuple[int, list[dict[str, dict[str, int]]]]]:
    """Each example: for each release {row: {state: count}}. Later ones are told as differences from the first."""
    states, units, codes = rules["states"], rules["units"], [c for codes in rules["categories"].values() for c in codes]
    places = [(unit, state) for unit in units for state in states] + [(code, "verified") for code in codes]
    first = proof["tables"][0] if proof["tables"] else []
    for number, told in enumerate(proof["tables"], 1):
        values = list(first)
        for at, value in [] if number == 1 else told:
            if not isinstance(at, int) or not 0 <= at < len(first):
                raise Failed("shape", number)
            values[at] = value
        if len(values) != len(places) * releases or any(type(value) is not int or value < 0 for value in values):
            raise Failed("shape", number)
        days: list[dict[str, dict[str, int]]] = []
        for day in range(releases):
            days.append({row: {} for row, _ in places})
            for (row, state), value in zip(places, values[day * len(places) :]):  # noqa: B905 - the rest is later ones
                days[day][row][state] = value
        yield number, days


def measured(states: dict[str, int], sums: dict[str, list[str]]) -> dict[str, int]:
    """Every measure of a row: states are added up as the sums say."""

    def value(name: str) -> int:
        return states[name] if name in states else sum(value(part) for part in sums[name])

    return {name: value(name) for name in [*states, *sums]}


def figures_of(number: int, rows: dict[str, dict[str, int]], rules: Any) -> dict[str, int]:
    """Every figure of a table by its name, `row.measure`; the categories must add up to the city's sums."""
    whole = {unit: rows[unit] for unit in rules["units"]}
    whole[CITY] = {state: sum(row[state] for row in whole.values()) for state in rules["states"]}
    figures = {
        f"{row}.{name}": n for row, states in whole.items() for name, n in measured(states, rules["sums"]).items()
    }
    for name, codes in rules["categories"].items():
        if sum(rows[code]["verified"] for code in codes) != figures[f"{CITY}.{name}"]:
            raise Failed("city", number, name)
        figures |= {f"{code}.verified": rows[code]["verified"] for code in codes}
    return figures


def silent(tables: Lines) -> set[str]:
    """Units that have not reported."""
    return {line["row"] for lines in tables.values() for line in lines if line["status"] == "not_due"}


def fits(number: int, figures: dict[str, int], tables: Lines, about: Any) -> None:
    """A table agrees with each published figure, is at most k from each rounded one, and fits who has reported."""
    for lines in tables.values():
        for line in lines:
            name = f"{line['row']}.{line['measure']}"
            slack = {"published": 0, "rounded": threshold(about, name)}.get(line["status"])
            if name not in figures or (slack is not None and abs(figures[name] - int(line["value"])) > slack):
                raise Failed("figure", number, name)
    not_due = silent(tables)
    for unit in about["structure"]["units"]:
        if figures[f"{unit}.{'verified' if unit in not_due else 'unverified'}"]:
            raise Failed("status", number, unit)


def moves(number: int, days: list[dict[str, int]], releases: list[tuple[Any, Lines]], assumed: Any) -> None:
    """From release to release, counts move as readers were taken to assume: rows that had reported both times."""
    rules = releases[-1][0]["structure"]
    codes = [code for codes in rules["categories"].values() for code in codes if "verified" in assumed["grows"]]
    for day in range(1, len(days)):
        out = silent(releases[day - 1][1]) | silent(releases[day][1])
        units = [unit for unit in rules["units"] if unit not in out]
        fixed = [f"{unit}.{name}" for unit in units for name in assumed["fixed"]]
        grows = [f"{unit}.{name}" for unit in units for name in assumed["grows"]]
        for name in fixed + grows + [f"{code}.verified" for code in codes]:
            change = days[day][name] - days[day - 1][name]
            if change < 0 or (change and name in fixed):
                raise Failed("moves", number, name)


def follows(about: Any, tables: Lines) -> set[str]:
    """Figures that everybody knows: public totals, zeros of who has not reported, and what follows by addition."""
    rules, out = about["structure"], silent(tables)
    rows, known = [*rules["units"], CITY], set(about["known"])
    measures = [*rules["sums"], *rules["states"]]
    nobody = {CITY} if set(rules["units"]) <= out else set()
    known |= {f"{row}.{name}" for row in out | nobody for name in measures if name not in ("suspected", "unverified")}
    known |= {f"{unit}.unverified" for unit in rules["units"] if unit not in out}
    known |= {f"{code}.verified" for codes in rules["categories"].values() for code in codes if nobody}
    sums = [
        {f"{row}.{whole}", *(f"{row}.{part}" for part in parts)}
        for row in rows
        for whole, parts in rules["sums"].items()
    ]
    sums += [{f"{row}.{state}" for row in rows} for state in rules["states"]]
    sums += [{f"{CITY}.{name}", *(f"{code}.verified" for code in codes)} for name, codes in rules["categories"].items()]
    for _ in sums:
        for terms in sums:
            known |= terms if len(terms - known) == 1 else set()
    return known


def groups_of(rules: Any) -> Iterator[tuple[str, list[str]]]:
    """(whole, parts) by figure: of each unit and the city, and the city's sums by category."""
    for row in [*rules["units"], CITY]:
        for whole, parts in rules["groups"]:
            yield f"{row}.{whole}", [f"{row}.{part}" for part in parts]
    every = [f"{code}.verified" for codes in rules["categories"].values() for code in codes]
    yield f"{CITY}.verified", every
    for name, codes in rules["categories"].items():
        yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]


def hidden(tables: Lines) -> set[str]:
    """Names of the withheld figures."""
    lines = [line for table in tables.values() for line in table if line["status"] == "suppressed"]
    return {f"{line['row']}.{line['measure']}" for line in lines}


def threshold(about: Any, name: str) -> int:
    """The k of a figure: a sensitive category may have its own."""
    return int(about["category_k"].get(name.rsplit(".", 1)[0], about["k"]))


def unread(seen: list[dict[str, int]], about: Any, tables: Lines, at_close: bool) -> None:
    """No count of a release can be told too closely, and at the close no group to be all in one part."""
    for name in sorted(set(seen[0]) - follows(about, tables)):
        k, values, full = threshold(about, name), [figures[name] for figures in seen], f"{about['release']}/{name}"
        if at_close and all(0 < value < k for value in values):
            raise Failed("small", full, k - 1)
        if not at_close and max(values) - min(values) < k - 1:
            raise Failed("narrow", full, k)
    for whole, parts in groups_of(about["structure"]) if about["closing"] else ():
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


def check(folder: Path) -> dict[str, Any]:
    """How many examples and withheld figures there are, and under which rules; Failed says what does not hold."""
    about, tables, ranges, digest = load(folder)
    try:
        proof = json.loads((folder / "proof.json").read_bytes())
        if proof["sha256"] != digest:
            raise Failed("other")
        releases = [*load_earlier(folder, about), (about, tables)]
        seen: list[list[dict[str, int]]] = []
        for number, days in examples(proof, about["structure"], len(releases)):
            seen.append([figures_of(number, rows, about["structure"]) for rows in days])
            for figures, (one, printed) in zip(seen[-1], releases):  # noqa: B905 - older Pythons know no `strict`
                fits(number, figures, printed, one)
            moves(number, seen[-1], releases, about["assumed"])
        if not seen:
            raise Failed("shape", 1)
        for day, (one, printed) in enumerate(releases):
            unread([days[day] for days in seen], one, printed, about["closing"])
        reached([days[-1] for days in seen], about, ranges, hidden(tables))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Failed("file", "proof.json") from error
    own = "".join(f", {code}: {k}" for code, k in sorted(about["category_k"].items()))
    known = ", ".join(about["known"]) or "–"
    counts = {"tables": len(seen), "hidden": len(ranges)}
    return {**counts, "k": about["k"], "own": own, "known": known, "assumed": about["assumed"]["key"]}


def main() -> int:
    """Say in Chinese and in English what was found."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    try:
        found = check(folder)
    except Failed as failed:
        print(f"不成立 / does not hold: {failed}")
        return 1
    for text in (*PROVED, *NOT_PROVED):
        print(text.format(**found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
