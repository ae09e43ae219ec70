#!/usr/bin/env python3
"""验证一次公布：任何人都可运行，只需 Python，不需要其他任何东西。 Check a release: for anyone, with Python alone.

    python3 verify_release.py [FOLDER]

The folder holds the release (release.json and its tables), proof.json, a list of examples, and SHA256SUMS, the list of
all its files; releases before it lie in folders beside it. An example is one complete table of whole numbers for each
release so far, which together fit every figure ever published, exact or rounded, so any example could be the truth. If
one shows a count as 0 and another as k or more, nobody can tell from what is published which it is.

This program adds numbers up and compares them. It solves nothing and believes nothing: whatever is not exactly as a
release must be is refused, and it takes bounded time (`MOST_…`). What the release says of itself is printed, so that
you can hold it against what you know: campaign, date, k, what is taken as known, how many figures of each kind.

What it proves, what it cannot: see `PROVED` and `NOT_PROVED` below. Exit code 0: it holds; 1: it does not.
"""

from __future__ import annotations  # so that Python 3.9 can run it, too

import datetime
import hashlib
import io
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: No release protects counts below a smaller k than this, whatever it says of itself.
LEAST_K = 3
CITY, SUMS = "city", "SHA256SUMS"
#: What a table may say of a figure: by how many k its number may differ from the true one; None if there is no number.
STATUSES = {"published": 0, "rounded": 1, "suppressed": None, "not_due": None}
#: Every child is in exactly one of four states; these sums of them mean what they are called.
STATES = {"unverified", "deducted", "returned", "still_out"}
MEANING = {
    "suspected": STATES,
    "verified": {"deducted", "returned", "still_out"},
    "to_return": {"returned", "still_out"},
}
#: Groups of which not all may be seen to be in one part. A release may name more of them.
GROUPS = {"verified": {"deducted", "to_return"}, "to_return": {"returned", "still_out"}}
#: The sums of the city that its categories make up, and the kinds of rows, of each of which there is one table.
BY_CATEGORY, KINDS = ("deducted", "to_return"), ["category", "city", "unit"]
#: Whatever is larger is not read: bytes of a file, rows, sums and groups of a release, rows of all releases, figures of
#: all examples.
MOST_BYTES, MOST_ROWS, MOST_SUMS, MOST_TOLD, MOST_FIGURES = 1 << 24, 5_000, 12, 50_000, 10_000_000
NUMBER, NAME, DIGEST = "0|[1-9][0-9]{0,8}", "[A-Za-z0-9][A-Za-z0-9_-]{0,59}", "[0-9a-f]{64}"
HEADING, OTHERS = "row,measure,value,status", ["audit.json", "proof.json", "release.json", "verify_release.py"]

SAYS = {
    "file": ("文件 {0} 不可读，或内容不合规定的格式", "{0} cannot be read, or is not in the form that it must have"),
    "missing": ("缺少文件 {0}", "{0} is missing"),
    "unknown": ("文件 {0} 不属于这次公布", "{0} is no file of this release"),
    "changed": ("文件 {0} 已被改动", "{0} was changed"),
    "program": ("文件夹里的 verify_release.py 不是本程序", "verify_release.py in the folder is not this program"),
    "told": ("release.json 中的 {0} 不合规定", "{0} in release.json is not as it must be"),
    "k": ("release.json 中的 {0} 小于 {1}，保护不了任何人", "{0} in release.json is below {1}, which protects nobody"),
    "known": ("release.json 把 {0} 当作人人已知", "release.json takes {0} as known to everybody"),
    "tables": (
        "应有全市、单位、分类三种表各一张",
        "there must be one table each of the city, the units, the categories",
    ),
    "line": ("{0} 第 {1} 行不合规定的格式", "line {1} of {0} is not in the form that it must have"),
    "state": ("{0} 第 {1} 行的状态不合规定", "line {1} of {0} has a status that it cannot have"),
    "value": ("{0} 第 {1} 行的数字与其状态不合", "line {1} of {0} has a number that does not go with its status"),
    "rows": ("{0} 的行有缺、有重或次序不对", "{0} lacks rows, or has them twice or out of order"),
    "reported": ("{0} 中 {1} 的报送状态前后不一", "in {0}, {1} has reported in one place and not in another"),
    "other": ("proof.json 是另一次公布的证明", "proof.json belongs to another release"),
    "shape": ("第 {0} 张示例表不完整，或含负数、小数", "example {0} is not a whole table of whole numbers from 0 on"),
    "many": ("公布或示例表过多，无法核对", "there are more releases or examples than can be checked"),
    "figure": ("第 {0} 张示例表与公布的 {1} 不符", "example {0} does not fit the published {1}"),
    "city": ("第 {0} 张示例表的分类合计与全市 {1} 不符", "example {0}: categories do not add up to the city's {1}"),
    "status": ("第 {0} 张示例表与 {1} 的报送状态不符", "example {0} does not fit whether {1} has reported"),
    "earlier": ("没有把此前的每一次公布都算在内", "it does not take every release before it into account"),
    "order": (
        "第 {0} 次公布的日期或阶段不该在这次之前",
        "release {0} cannot come before this one by its date or stage",
    ),
    "rules": ("第 {0} 次公布所用的规则与这次不同", "release {0} follows other rules"),
    "moves": ("第 {0} 张示例表中 {1} 的变动与所作假设不符", "in example {0}, {1} moves as it was assumed not to"),
    "narrow": ("读者可以推知 {0} 是少于 {1} 个数中的一个", "a reader can tell {0} to be one of fewer than {1} values"),
    "small": ("读者可以推知 {0} 在 1 至 {1} 人之间", "a reader can tell that {0} lies within 1 … {1}"),
    "group": ("读者可以推知 {0} 的人全部属于 {1}", "a reader can tell that all of {0} are {1}"),
    "range": ("audit.json 所载 {0} 的范围没有示例表为证", "no examples show the range of {0} in audit.json"),
}
CHECKED = (
    "所核验的公布：{campaign}，第 {release} 次，截至 {as_of}，{stage_zh}，此前公布 {before} 次。k = {k}{own}；"
    "视为人人已知的合计：{known}；所作假设：{assumed}。数字：如实公布 {published} 个，取约数 {rounded} 个，"
    "隐去 {suppressed} 个，未报送 {not_due} 个；表：{files}。请与你所知的核对。",
    "Checked: {campaign}, release {release}, as of {as_of}, {stage}, after {before} releases. k = {k}{own}; taken as"
    " known to everybody: {known}; assumed: {assumed}. Figures: {published} exact, {rounded} rounded, {suppressed}"
    " withheld, {not_due} not reported yet; tables: {files}. Hold this against what you know.",
)
PROVED = (
    "已证实：{tables} 组完整的整数表都与历次公布的全部数字相符。{hidden} 个隐去的数，各自的最小值和最大值都有表为证；"
    "最终公布之前，每个未确切公布的数至少有 k 个可能的值；最终公布中，没有一个数能被推知在 1 至 k−1 人之间，"
    "没有一组人能被推知全部属于同一情况。",
    "Proved: {tables} sets of whole tables of whole numbers fit every figure of every release so far. Both ends of each"
    " of {hidden} withheld figures are reached. Before the close, every count that is not told exactly may be one of at"
    " least k values; at the close, no count can be told to be within 1 … k-1, no group to be all in one part.",
)
NOT_PROVED = (
    "不能证实：公布的数字是否属实；读者另有所知（例如自己就是其中一人）时的情形；程序选择隐去哪些数所透露的信息。",
    "Not proved: that the published figures are true; anything against a reader who knows more (say, one of those"
    " counted); what the choice of withheld cells may tell.",
)


class Failed(Exception):
    """Why the release does not hold: `key` names the reason in `SAYS`; the text is in Chinese and English."""

    def __init__(self, key: str, *values: object) -> None:
        """Choose the text. Values may come from a hostile file: nothing in them reaches a terminal as it is."""
        self.key = key
        shown = [plain(value) for value in values]
        super().__init__(" / ".join(text.format(*shown) for text in SAYS[key]))


class Line(NamedTuple):
    """A line of a table."""

    row: str
    measure: str
    value: int | None
    status: str

    @property
    def name(self) -> str:
        """The figure's name."""
        return f"{self.row}.{self.measure}"


Figures = dict[str, int]
Tables = dict[str, list[Line]]


class Release(NamedTuple):
    """A release that is as it must be: release.json, lines by the tables' files, audit.json, proof.json, digests."""

    about: Any
    tables: Tables
    ranges: Any
    proof: Any
    digest: str
    sealed: str

    @property
    def lines(self) -> list[Line]:
        """The lines of all tables."""
        return [line for lines in self.tables.values() for line in lines]


def plain(value: object) -> str:
    """A text for the terminal: short, and without what could steer it."""
    return "".join(c if c.isprintable() else "?" for c in str(value)[:200])


def need(holds: object, key: str, *values: object) -> None:
    """Failed unless it holds."""
    if not holds:
        raise Failed(key, *values)


# What a file says: texts, numbers and lists of the one form that they may have


def is_text(value: object, pattern: str) -> bool:
    """A text that as a whole has a form."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_names(value: object) -> bool:
    """A list of names, each once."""
    is_list = isinstance(value, list) and len(value) <= MOST_ROWS and all(is_text(one, NAME) for one in value)
    return is_list and len(set(value)) == len(value)  # type: ignore[arg-type, call-overload]


def is_title(value: object) -> bool:
    """A short text that may be printed."""
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def is_day(value: object) -> bool:
    """A day of the calendar as YYYY-MM-DD."""
    if not is_text(value, "[0-9]{4}-[0-9]{2}-[0-9]{2}"):
        return False
    try:
        return bool(datetime.date(*(int(part) for part in str(value).split("-"))))
    except ValueError:
        return False


def is_number(value: object) -> bool:
    """A whole number from 0 on, of which there may be that many children."""
    return type(value) is int and is_text(str(value), NUMBER)


def is_object(value: object, key: str, one: Callable[[Any], bool]) -> bool:
    """A JSON object whose keys have a form and whose values all pass."""
    return isinstance(value, dict) and all(is_text(name, key) and one(held) for name, held in value.items())


def has_keys(value: object, keys: str) -> bool:
    """A JSON object with just these keys."""
    return isinstance(value, dict) and sorted(value) == sorted(keys.split())


def is_structure(value: Any) -> bool:
    """How all figures hang together: units, states, sums of states, groups, categories by sum."""
    return (
        has_keys(value, "units states sums groups categories")
        and is_names(value["units"])
        and is_names(value["states"])
        and is_object(value["sums"], NAME, is_names)
        and len(value["sums"]) <= MOST_SUMS
        and isinstance(value["groups"], list)
        and len(value["groups"]) <= MOST_SUMS
        and all(isinstance(one, list) and len(one) == 2 and is_text(one[0], NAME) for one in value["groups"])
        and all(is_names(one[1]) and one[1] for one in value["groups"])
        and is_object(value["categories"], NAME, is_names)
    )


def is_table(value: Any) -> bool:
    """What a table is called, what its rows are, what it tells of each."""
    return (
        has_keys(value, "key rows measures title title_en")
        and is_text(value["key"], "[a-z_]{1,40}")
        and is_names(value["measures"])
        and bool(value["measures"])
        and is_title(value["title"])
        and is_title(value["title_en"])
    )


def is_assumption(value: Any) -> bool:
    """What a reader of several releases takes for granted."""
    return (
        has_keys(value, "key fixed grows")
        and is_title(value["key"])
        and is_names(value["fixed"])
        and is_names(value["grows"])
    )


#: The form of each entry of release.json: these, and no others.
ENTRIES: dict[str, Callable[[Any], bool]] = {
    "release": lambda v: is_text(v, "[0-9]{4}") and v != "0000",
    "campaign": lambda v: is_text(v, NAME),
    "as_of": is_day,
    "closing": lambda v: type(v) is bool,
    "k": is_number,
    "category_k": lambda v: is_object(v, NAME, is_number),
    "known": lambda v: isinstance(v, list) and all(isinstance(one, str) for one in v) and len(set(v)) == len(v),
    "structure": is_structure,
    "earlier": lambda v: is_object(v, "[0-9]{4}", lambda one: is_text(one, DIGEST)),
    "assumed": is_assumption,
    "tables": lambda v: isinstance(v, list) and all(is_table(one) for one in v),
}


def hold(about: Any) -> None:
    """Release.json is in its form, and its rules are none that protect nobody."""
    need(has_keys(about, " ".join(ENTRIES)), "file", "release.json")
    for name, is_so in ENTRIES.items():
        need(is_so(about[name]), "told", name)
    rules = about["structure"]
    measures = set(states_of(rules))
    codes = codes_of(rules)
    every = [*rules["units"], *codes, CITY]
    need(len(set(every)) == len(every) <= MOST_ROWS, "told", "structure")
    need(sorted(rules["categories"]) == sorted(BY_CATEGORY), "told", "structure")
    told = [(whole, set(parts)) for whole, parts in rules["groups"]]
    need(all({whole} | parts <= measures for whole, parts in told), "told", "structure")
    need(all(group in told for group in GROUPS.items()), "told", "structure")
    need(set(about["category_k"]) <= set(codes), "told", "category_k")
    for name, k in [("k", about["k"]), *sorted(about["category_k"].items())]:
        need(k >= LEAST_K, "k", name, LEAST_K)
    for name in about["known"]:
        need(name in {f"{CITY}.{measure}" for measure in measures}, "known", name)
    need({*about["assumed"]["fixed"], *about["assumed"]["grows"]} <= measures, "told", "assumed")
    hold_tables(about, measures)


def hold_tables(about: Any, measures: set[str]) -> None:
    """One table of each kind, of measures that there are; a category has only the one."""
    tables = about["tables"]
    need([table["rows"] for table in sorted(tables, key=lambda one: str(one["rows"]))] == KINDS, "tables")
    need(len({table["key"] for table in tables}) == len(tables), "tables")
    for table in tables:
        told = set(table["measures"])
        need(told == {"verified"} if table["rows"] == "category" else told <= measures, "told", "tables")


def states_of(rules: Any) -> dict[str, set[str]]:
    """The states that each measure adds up, none of them twice; sums that go in circles, or mean other things, fail."""
    need(set(rules["states"]) == STATES, "told", "structure")
    found: dict[str, set[str]] = {state: {state} for state in rules["states"]}
    for _ in rules["sums"]:
        for name, parts in rules["sums"].items():
            if name not in found and all(part in found for part in parts):
                states = [state for part in parts for state in found[part]]
                need(states and len(set(states)) == len(states), "told", "structure")
                found[name] = set(states)
    need(set(found) == STATES | set(rules["sums"]), "told", "structure")
    need(not STATES & set(rules["sums"]), "told", "structure")
    need(all(found.get(name) == states for name, states in MEANING.items()), "told", "structure")
    return found


def codes_of(rules: Any) -> list[str]:
    """All categories."""
    return [code for codes in rules["categories"].values() for code in codes]


# The files


def content(folder: Path, name: str) -> bytes:
    """What a plain file of the folder holds: no link, no device, not too large."""
    try:
        about = (folder / name).lstat()
        need(stat.S_ISREG(about.st_mode) and about.st_size <= MOST_BYTES, "file", name)
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise Failed("missing", name) from None


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file: just those that SHA256SUMS lists, each as it was when it was listed."""
    need(folder.is_dir() and not folder.is_symlink(), "missing", folder.name)
    listed: dict[str, str] = {}
    *lines, rest = utf8(content(folder, SUMS), SUMS).split("\n")
    for line in lines:
        need(is_text(line, DIGEST + "  [a-z_]{1,40}[.](csv|json|py)"), "file", SUMS)
        need(line[66:] not in listed, "file", SUMS)
        listed[line[66:]] = line[:64]
    need(not rest, "file", SUMS)
    for name in sorted({path.name for path in folder.iterdir()} - {SUMS, *listed}):
        raise Failed("unknown", name)
    contents = {name: content(folder, name) for name in listed}
    for name, raw in contents.items():
        need(hashlib.sha256(raw).hexdigest() == listed[name], "changed", name)
    return contents


def utf8(raw: bytes, name: str) -> str:
    """Text, of the one encoding that there is."""
    try:
        return raw.decode("utf-8")
    except ValueError:
        raise Failed("file", name) from None


def parsed(raw: bytes, name: str) -> Any:
    """JSON in which every key stands once and every number is a whole one of a size that can be."""

    def once(pairs: Any) -> Any:
        found = dict(pairs)
        need(len(found) == len(pairs), "file", name)
        return found

    def whole(text: str) -> int:
        need(is_text(text, NUMBER), "file", name)
        return int(text)

    def never(_: str) -> None:
        raise Failed("file", name)

    try:
        return json.loads(
            utf8(raw, name), object_pairs_hook=once, parse_int=whole, parse_float=never, parse_constant=never
        )
    except (ValueError, RecursionError):
        raise Failed("file", name) from None


def load(folder: Path) -> Release:
    """A release whose files are all there, all known, unchanged, and in their form."""
    files = files_of(folder)
    for name in OTHERS:
        need(name in files, "missing", name)
    about, ranges, proof = (parsed(files[name], name) for name in ("release.json", "audit.json", "proof.json"))
    hold(about)
    wanted = [*OTHERS, *(f"{table['key']}.csv" for table in about["tables"])]
    for name in sorted(set(wanted) ^ set(files)):
        raise Failed("unknown" if name in files else "missing", name)
    need(not is_text(folder.name, "[0-9]{4}") or folder.name == about["release"], "told", "release")
    tables = {f"{table['key']}.csv": lines_of(table, files[f"{table['key']}.csv"], about) for table in about["tables"]}
    need(has_keys(ranges, "ranges") and isinstance(ranges["ranges"], dict), "file", "audit.json")
    sealed = hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    digest = hashlib.sha256(files["release.json"]).hexdigest()
    return Release(about, tables, ranges["ranges"], proof, digest, sealed)


def lines_of(table: Any, raw: bytes, about: Any) -> list[Line]:
    """The lines of a table: every measure of every row, once and in order."""
    name, rules = f"{table['key']}.csv", about["structure"]
    head, *told = utf8(raw, name).split("\n")
    need(head == HEADING and told and not told.pop(), "line", name, 1)
    lines = [line_of(text, name, number, about) for number, text in enumerate(told, 2)]
    rows = list(dict.fromkeys(line.row for line in lines))
    need([line[:2] for line in lines] == [(row, name) for row in rows for name in table["measures"]], "rows", name)
    if table["rows"] == "category":
        need(len(rows) == len(codes_of(rules)), "rows", name)
        for codes in rules["categories"].values():
            need([row for row in rows if row in codes] == codes, "rows", name)
    else:
        need(rows == ([CITY] if table["rows"] == "city" else rules["units"]), "rows", name)
    hold_lines(table, lines, about)
    return lines


def line_of(text: str, file: str, number: int, about: Any) -> Line:
    """A line, whose number is there if its status says so, and in no other form than one."""
    parts = text.split(",")
    need(len(parts) == 4 and is_text(parts[0], NAME) and is_text(parts[1], NAME), "line", file, number)
    row, measure, told, status = parts
    need(status in STATUSES, "state", file, number)
    need(not told if STATUSES[status] is None else is_text(told, NUMBER), "value", file, number)
    line = Line(row, measure, int(told) if told else None, status)
    if status == "rounded":  # the figures that rounding gives
        need(int(told) % (threshold(about, line.name) + 1) == 0, "value", file, number)
    return line


def hold_lines(table: Any, lines: Any, about: Any) -> None:
    """Who has not reported says so throughout, and nothing else does; what is known to everybody is told."""
    file, out = f"{table['key']}.csv", {line.row for line in lines if line.status == "not_due"}
    need(not out or table["rows"] == "unit", "reported", file, CITY)
    for line in lines:
        if line.row in out and line.measure not in ("suspected", "unverified"):
            need(line.status == "not_due", "reported", file, line.row)
        need(line.name not in about["known"] or line.status == "published", "known", line.name)
    for row in out:
        need(any(line.measure not in ("suspected", "unverified") for line in lines), "reported", file, row)


def load_all(folder: Path) -> list[Release]:
    """The release and all before it, oldest first: unchanged since it was made, and following the same rules."""
    last = load(folder)
    about = last.about
    need(sorted(about["earlier"]) == [f"{number:04}" for number in range(1, int(about["release"]))], "earlier")
    rows = len(about["structure"]["units"]) + len(codes_of(about["structure"]))
    need(rows * int(about["release"]) <= MOST_TOLD, "many")
    releases = []
    for name, sealed in sorted(about["earlier"].items()):
        sooner = load(folder.parent / name)
        need(sooner.sealed == sealed, "changed", f"{name}/{SUMS}")
        same = ("campaign", "structure", "k", "category_k", "known")
        need(all(sooner.about[rule] == about[rule] for rule in same), "rules", name)
        releases.append(sooner)
    for one, after in zip(releases, [*releases[1:], last]):  # noqa: B905 - older Pythons know no `strict`
        stages = (one.about["closing"], after.about["closing"])
        in_order = one.about["as_of"] <= after.about["as_of"] and stages != (True, False)
        need(in_order, "order", one.about["release"])
    return [*releases, last]


# The examples


def examples(proof: Any, rules: Any, releases: int) -> Iterator[tuple[int, list[dict[str, Figures]]]]:
    """Each example: for each release {row: {state: count}}. Later ones are told as differences from the first."""
    places = [(unit, state) for unit in rules["units"] for state in rules["states"]]
    places += [(code, "verified") for code in codes_of(rules)]
    told = proof["tables"]
    need(isinstance(told, list) and told and all(isinstance(one, list) for one in told), "shape", 1)
    first, size = told[0], len(places) * releases
    need(len(first) == size and all(map(is_number, first)), "shape", 1)
    need(len(told) * size <= MOST_FIGURES, "many")
    for number, changes in enumerate(told, 1):
        values, last = list(first), -1
        for change in [] if number == 1 else changes:
            need(isinstance(change, list) and len(change) == 2 and all(map(is_number, change)), "shape", number)
            need(last < change[0] < size, "shape", number)
            last = change[0]
            values[last] = change[1]
        days: list[dict[str, Figures]] = []
        for start in range(0, size, len(places)):
            days.append({row: {} for row, _ in places})
            for (row, state), value in zip(places, values[start:]):  # noqa: B905 - the rest is later ones
                days[-1][row][state] = value
        yield number, days


def figures_of(number: int, rows: dict[str, Figures], rules: Any) -> Figures:
    """Every figure of a table by its name, `row.measure`; the categories must add up to the city's sums."""
    whole = {unit: rows[unit] for unit in rules["units"]}
    whole[CITY] = {state: sum(row[state] for row in whole.values()) for state in rules["states"]}
    measures = states_of(rules)
    figures = {
        f"{row}.{name}": sum(counts[state] for state in states)
        for row, counts in whole.items()
        for name, states in measures.items()
    }
    for name, codes in rules["categories"].items():
        need(sum(rows[code]["verified"] for code in codes) == figures[f"{CITY}.{name}"], "city", number, name)
        figures.update({f"{code}.verified": rows[code]["verified"] for code in codes})
    return figures


def silent(release: Release) -> set[str]:
    """Units that have not reported."""
    return {line.row for line in release.lines if line.status == "not_due"}


def fits(number: int, figures: Figures, release: Release) -> None:
    """A table agrees with each published figure, is at most k from each rounded one, and fits who has reported."""
    for line in release.lines:
        if line.value is not None:
            slack = (STATUSES[line.status] or 0) * threshold(release.about, line.name)
            need(abs(figures[line.name] - line.value) <= slack, "figure", number, line.name)
    out = silent(release)
    for unit in release.about["structure"]["units"]:
        need(not figures[f"{unit}.{'verified' if unit in out else 'unverified'}"], "status", number, unit)


def moves(number: int, days: list[Figures], releases: list[Release], assumed: Any) -> None:
    """From release to release, counts move as readers were taken to assume: rows that had reported both times."""
    rules = releases[-1].about["structure"]
    codes = codes_of(rules) if "verified" in assumed["grows"] else []
    for day in range(1, len(days)):
        out = silent(releases[day - 1]) | silent(releases[day])
        units = [unit for unit in rules["units"] if unit not in out]
        fixed = [f"{unit}.{name}" for unit in units for name in assumed["fixed"]]
        grows = [f"{unit}.{name}" for unit in units for name in assumed["grows"]]
        for name in fixed + grows + [f"{code}.verified" for code in codes]:
            change = days[day][name] - days[day - 1][name]
            need(change >= 0 and not (change and name in fixed), "moves", number, name)


# What a reader can tell


def follows(release: Release) -> set[str]:
    """Figures that everybody knows: public totals, zeros of who has not reported, and what follows by addition."""
    rules, out = release.about["structure"], silent(release)
    rows, known = [*rules["units"], CITY], set(release.about["known"])
    nobody = {CITY} if set(rules["units"]) <= out else set()
    zeros = [name for name in states_of(rules) if name not in ("suspected", "unverified")]
    known |= {f"{row}.{name}" for row in out | nobody for name in zeros}
    known |= {f"{unit}.unverified" for unit in rules["units"] if unit not in out}
    known |= {f"{code}.verified" for code in codes_of(rules) if nobody}
    sums = [{f"{row}.{name}" for name in (whole, *parts)} for row in rows for whole, parts in rules["sums"].items()]
    sums += [{f"{row}.{state}" for row in rows} for state in rules["states"]]
    sums += [{f"{CITY}.{name}", *(f"{code}.verified" for code in codes)} for name, codes in rules["categories"].items()]
    before = -1
    while len(known) > before:
        before = len(known)
        for terms in sums:
            known |= terms if len(terms - known) == 1 else set()
    return known


def groups_of(rules: Any) -> Iterator[tuple[str, str]]:
    """Each (whole, part) by figure: of each unit and the city, and the city's sums by category."""
    for row in [*rules["units"], CITY]:
        for whole, parts in rules["groups"]:
            yield from ((f"{row}.{whole}", f"{row}.{part}") for part in parts)
    yield from ((f"{CITY}.verified", f"{code}.verified") for code in codes_of(rules))
    for name, codes in rules["categories"].items():
        yield from ((f"{CITY}.{name}", f"{code}.verified") for code in codes)


def threshold(about: Any, name: str) -> int:
    """The k of a figure: a sensitive category may have its own."""
    return int(about["category_k"].get(name.rsplit(".", 1)[0], about["k"]))


class Seen:
    """What all examples show of one release: least and greatest of each figure, groups that are always in one part."""

    def __init__(self, release: Release) -> None:
        """Nothing seen yet."""
        self.release = release
        self.least: Figures = {}
        self.most: Figures = {}
        self.empty: set[str] = set()
        rules = release.about["structure"]
        self.alike = list(groups_of(rules)) if release.about["closing"] else []

    def add(self, figures: Figures) -> None:
        """One more example."""
        for name, value in figures.items():
            self.least[name] = min(value, self.least.get(name, value))
            self.most[name] = max(value, self.most.get(name, value))
        self.alike = [(whole, part) for whole, part in self.alike if 0 < figures[whole] == figures[part]]

    def unread(self, at_close: bool) -> None:
        """No count can be told too closely, and at the close no group to be all in one part."""
        about = self.release.about
        for name in sorted(set(self.least) - follows(self.release)):
            k, least, most = threshold(about, name), self.least[name], self.most[name]
            if at_close:
                need(least == 0 or most >= k, "small", f"{about['release']}/{name}", k - 1)
            else:
                need(most - least >= k - 1, "narrow", f"{about['release']}/{name}", k)
        for whole, part in self.alike:
            raise Failed("group", whole, part)

    def reached(self) -> None:
        """Both ends of each withheld figure's range are shown, and neither is passed."""
        ranges, withheld = (
            self.release.ranges,
            {line.name for line in self.release.lines if line.status == "suppressed"},
        )
        for name in sorted(set(ranges) ^ withheld):
            raise Failed("range", name)
        for name, ends in ranges.items():
            need(isinstance(ends, list) and len(ends) == 2, "range", name)
            need(is_number(ends[0]) and ends[0] == self.least[name], "range", name)
            is_open = ends[1] is None and self.most[name] >= threshold(self.release.about, name)
            need(is_open or (is_number(ends[1]) and ends[1] == self.most[name]), "range", name)


def check(folder: Path, programs: Collection[str] = ()) -> dict[str, object]:
    """What was checked, for `CHECKED` and `PROVED`; Failed says what does not hold.

    The program in the folder must be this one, or have one of the digests `programs`.
    """
    try:
        own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        found = hashlib.sha256(content(folder, "verify_release.py")).hexdigest()
        releases = load_all(folder)
        need(found in programs or found == own, "program")
        last = releases[-1]
        need(has_keys(last.proof, "release sha256 tables"), "file", "proof.json")
        same = (last.proof["release"], last.proof["sha256"]) == (last.about["release"], last.digest)
        need(same, "other")
        seen = [Seen(release) for release in releases]
        for number, days in examples(last.proof, last.about["structure"], len(releases)):
            figures = [figures_of(number, rows, last.about["structure"]) for rows in days]
            for one, told in zip(seen, figures):  # noqa: B905 - older Pythons know no `strict`
                fits(number, told, one.release)
                one.add(told)
            moves(number, figures, releases, last.about["assumed"])
        for one in seen:
            one.unread(last.about["closing"])
        seen[-1].reached()
    except (OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise Failed("file", folder.name) from error
    return told_of(last, len(last.proof["tables"]), len(releases) - 1)


def told_of(release: Release, examples_: int, before: int) -> dict[str, object]:
    """What a reader should hold against what he knows."""
    about, assumed = release.about, release.about["assumed"]
    statuses = [line.status for line in release.lines]
    ways = [f"{how} {', '.join(assumed[how])}" for how in ("fixed", "grows") if assumed[how]]
    return {
        **{status: statuses.count(status) for status in STATUSES},
        **{name: about[name] for name in ("campaign", "release", "as_of", "k")},
        "stage": "the close" if about["closing"] else "before the close",
        "stage_zh": "最终公布" if about["closing"] else "最终公布之前",
        "before": before,
        "own": "".join(f", {code}: {k}" for code, k in sorted(about["category_k"].items())),
        "known": ", ".join(about["known"]) or "–",
        "assumed": "; ".join([assumed["key"], *ways]),
        "files": ", ".join(f"{name} {len(lines)}" for name, lines in release.tables.items()),
        "tables": examples_,
        "hidden": len(release.ranges),
    }


def main() -> int:
    """Say in Chinese and in English what was found."""
    folder = Path(os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)  # noqa: PTH100
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no Chinese
    try:
        found = check(folder)
    except Failed as failed:
        print(f"不成立 / does not hold: {failed}")
        return 1
    for text in (*CHECKED, *PROVED, *NOT_PROVED):
        print(text.format(**found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
