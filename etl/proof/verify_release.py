#!/usr/bin/env python3
"""验证一次公布：任何人都可运行，只需 Python，不需要其他任何东西。 Check a release: for anyone, with Python alone.

    python3 verify_release.py [FOLDER]

FOLDER (by default the folder of this program) holds the release: release.json and its tables; audit.json; proof.json,
a list of examples; and SHA256SUMS, the list of all its files. Earlier releases lie in folders beside it. An example has
one complete table of whole numbers for each release so far. These tables fit every figure ever published, exact or
rounded, so any example could be the truth. If one example shows a count as 0 and another shows it as k or more, the
published figures do not reveal which is true.

This program only adds and compares numbers, in bounded time (`MOST_…`). It trusts nothing: anything that is not exactly
in the required form is refused. It prints what the release says about itself (campaign, date, k, known totals, number
of figures of each kind), so that you can compare that with what you know.

`PROVED` and `NOT_PROVED` below say what it proves and what it cannot. Exit code 0: the release holds; 1: it does not.
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

#: The least k that is accepted, whatever a release says about itself.
LEAST_K = 3
CITY, SUMS = "city", "SHA256SUMS"
#: Each status of a figure with the greatest distance from the true figure, in units of k; None: no figure is given.
STATUSES = {"published": 0, "rounded": 1, "suppressed": None, "not_due": None}
#: Every child is in exactly one of four states; MEANING says which states each of these sums must add up.
STATES = {"unverified", "deducted", "returned", "still_out"}
MEANING = {
    "suspected": STATES,
    "verified": {"deducted", "returned", "still_out"},
    "to_return": {"returned", "still_out"},
}
#: Groups (whole: parts) whose members must not be seen to fall all into one part. A release may name further groups.
GROUPS = {"verified": {"deducted", "to_return"}, "to_return": {"returned", "still_out"}}
#: The measures of the city that are sums of categories; the kinds of rows, with exactly one table for each.
BY_CATEGORY, KINDS = ("deducted", "to_return"), ["category", "city", "unit"]
#: The most that is read: bytes of a file; rows, and sums or groups, of a release; rows of all releases together;
#: figures of all examples together.
MOST_BYTES, MOST_ROWS, MOST_SUMS, MOST_ALL_ROWS, MOST_FIGURES = 1 << 24, 5_000, 12, 50_000, 10_000_000
NUMBER, NAME, DIGEST = "0|[1-9][0-9]{0,8}", "[A-Za-z0-9][A-Za-z0-9_-]{0,59}", "[0-9a-f]{64}"
HEADING, OTHERS = "row,measure,value,status", ["audit.json", "proof.json", "release.json", "verify_release.py"]

SAYS = {
    "file": ("文件 {0} 不可读，或内容不合规定的格式", "{0} cannot be read, or is not in the required form"),
    "missing": ("缺少文件 {0}", "{0} is missing"),
    "unknown": ("文件 {0} 不属于这次公布", "{0} is not a file of this release"),
    "changed": ("文件 {0} 已被改动", "{0} was changed"),
    "program": ("文件夹里的 verify_release.py 不是本程序", "verify_release.py in the folder is not this program"),
    "entry": ("release.json 中的 {0} 不合规定", "{0} in release.json is not valid"),
    "k": ("release.json 中的 {0} 小于 {1}，保护不了任何人", "{0} in release.json is below {1}, which protects nobody"),
    "known": ("release.json 把 {0} 当作人人已知", "release.json takes {0} as known to everybody"),
    "tables": (
        "应有全市、单位、分类三种表各一张",
        "there must be one table each of the city, the units, the categories",
    ),
    "line": ("{0} 第 {1} 行不合规定的格式", "line {1} of {0} is not in the required form"),
    "state": ("{0} 第 {1} 行的状态不合规定", "line {1} of {0} has a status that does not exist"),
    "value": ("{0} 第 {1} 行的数字与其状态不合", "line {1} of {0} has a number that does not fit its status"),
    "rows": ("{0} 的行有缺、有重或次序不对", "{0} has rows that are missing, double or out of order"),
    "reported": ("{0} 中 {1} 的报送状态前后不一", "in {0}, {1} has reported in one place and not in another"),
    "other": ("proof.json 是另一次公布的证明", "proof.json belongs to another release"),
    "shape": ("第 {0} 张示例表不完整，或含负数、小数", "example {0} is not a complete table of whole numbers"),
    "many": ("公布或示例表过多，无法核对", "there are more releases or examples than can be checked"),
    "figure": ("第 {0} 张示例表与公布的 {1} 不符", "example {0} does not fit the published {1}"),
    "city": ("第 {0} 张示例表的分类合计与全市 {1} 不符", "example {0}: categories do not add up to the city's {1}"),
    "status": ("第 {0} 张示例表与 {1} 的报送状态不符", "example {0} does not fit whether {1} has reported"),
    "earlier": ("没有把此前的每一次公布都算在内", "it does not take every earlier release into account"),
    "order": (
        "第 {0} 次公布的日期或阶段不该在这次之前",
        "release {0} cannot come before this one by its date or stage",
    ),
    "rules": ("第 {0} 次公布所用的规则与这次不同", "release {0} follows other rules"),
    "moves": ("第 {0} 张示例表中 {1} 的变动与所作假设不符", "in example {0}, {1} changes against the assumption"),
    "narrow": ("读者可以推知 {0} 是少于 {1} 个数中的一个", "a reader can narrow {0} to fewer than {1} values"),
    "small": ("读者可以推知 {0} 在 1 至 {1} 人之间", "a reader can infer that {0} lies within 1 … {1}"),
    "group": ("读者可以推知 {0} 的人全部属于 {1}", "a reader can infer that all of {0} are {1}"),
    "range": ("audit.json 所载 {0} 的范围没有示例表为证", "no examples show the range of {0} in audit.json"),
}
CHECKED = (
    "所核验的公布：{campaign}，第 {release} 次，截至 {as_of}，{stage_zh}，此前公布 {before} 次。k = {k}{own}；"
    "视为人人已知的合计：{known}；所作假设：{assumed}。数字：如实公布 {published} 个，取约数 {rounded} 个，"
    "隐去 {suppressed} 个，未报送 {not_due} 个；表：{files}。请与你所知的核对。",
    "Checked: {campaign}, release {release}, as of {as_of}, {stage}, after {before} releases. k = {k}{own}; taken as"
    " known to everybody: {known}; assumed: {assumed}. Figures: {published} exact, {rounded} rounded, {suppressed}"
    " withheld, {not_due} not reported yet; tables: {files}. Compare this with what you know.",
)
PROVED = (
    "已证实：{tables} 组完整的整数表都与历次公布的全部数字相符。{hidden} 个隐去的数，各自的最小值和最大值都有表为证；"
    "最终公布之前，每个未确切公布的数至少有 k 个可能的值；最终公布中，没有一个数能被推知在 1 至 k−1 人之间，"
    "没有一组人能被推知全部属于同一情况。",
    "Proved: {tables} sets of complete tables of whole numbers fit every figure of every release so far. For each of"
    " {hidden} withheld figures, both ends of its range are reached. Before the close, every count that is not"
    " published exactly has at least k possible values; at the close, no count can be inferred to lie within 1 … k-1,"
    " and no group to fall entirely into one part.",
)
NOT_PROVED = (
    "不能证实：公布的数字是否属实；读者另有所知（例如自己就是其中一人）时的情形；程序选择隐去哪些数所透露的信息。",
    "Not proved: that the published figures are true; what a reader can infer who knows more (for example, one of those"
    " counted); what the choice of withheld cells may reveal.",
)


class Failed(Exception):
    """The release does not hold. `key` names the reason in `SAYS`; the message is in Chinese and English."""

    def __init__(self, key: str, *values: object) -> None:
        """Fill `values` into the text. They may come from a hostile file, so each is made safe for a terminal first."""
        self.key = key
        shown = [plain(value) for value in values]
        super().__init__(" / ".join(text.format(*shown) for text in SAYS[key]))


class Line(NamedTuple):
    """A line of a table; `value` is None if no figure is given."""

    row: str
    measure: str
    value: int | None
    status: str

    @property
    def name(self) -> str:
        """The figure's name, such as ``city.returned``."""
        return f"{self.row}.{self.measure}"


Figures = dict[str, int]
Tables = dict[str, list[Line]]


class Release(NamedTuple):
    """A release in the required form.

    `about` is release.json, `tables` the lines by file name, `ranges` the content of audit.json, `proof` is proof.json;
    `digest` and `sealed` are the SHA-256 of release.json and of SHA256SUMS.
    """

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
    """At most 200 characters of a text, without control characters that could steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(value)[:200])


def need(holds: object, key: str, *values: object) -> None:
    """Raise `Failed` with this key and these values unless the condition holds."""
    if not holds:
        raise Failed(key, *values)


# The forms of texts, numbers and lists in the files


def is_text(value: object, pattern: str) -> bool:
    """Whether a value is a text that matches the whole pattern."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_names(value: object) -> bool:
    """Whether a value is a list of distinct names."""
    is_list = isinstance(value, list) and len(value) <= MOST_ROWS and all(is_text(one, NAME) for one in value)
    return is_list and len(set(value)) == len(value)  # type: ignore[arg-type, call-overload]


def is_title(value: object) -> bool:
    """Whether a value is a printable text of 1 to 200 characters."""
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def is_day(value: object) -> bool:
    """Whether a value is a date of the calendar, written YYYY-MM-DD."""
    if not is_text(value, "[0-9]{4}-[0-9]{2}-[0-9]{2}"):
        return False
    try:
        return bool(datetime.date(*(int(part) for part in str(value).split("-"))))
    except ValueError:
        return False


def is_number(value: object) -> bool:
    """Whether a value is a whole number from 0 to 999,999,999."""
    return type(value) is int and is_text(str(value), NUMBER)


def is_object(value: object, key: str, one: Callable[[Any], bool]) -> bool:
    """Whether a value is a JSON object whose keys all match the pattern `key` and whose values all pass `one`."""
    return isinstance(value, dict) and all(is_text(name, key) and one(held) for name, held in value.items())


def has_keys(value: object, keys: str) -> bool:
    """Whether a value is a JSON object with exactly these keys (separated by blanks)."""
    return isinstance(value, dict) and sorted(value) == sorted(keys.split())


def is_structure(value: Any) -> bool:
    """Whether a value describes how figures are related: units, states, sums of states, groups, categories by sum."""
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
    """Whether a value describes a table: its key, the kind of its rows, its measures, its titles."""
    return (
        has_keys(value, "key rows measures title title_en")
        and is_text(value["key"], "[a-z_]{1,40}")
        and is_names(value["measures"])
        and bool(value["measures"])
        and is_title(value["title"])
        and is_title(value["title_en"])
    )


def is_assumption(value: Any) -> bool:
    """Whether a value is an assumption about how figures change between releases."""
    return (
        has_keys(value, "key fixed grows")
        and is_title(value["key"])
        and is_names(value["fixed"])
        and is_names(value["grows"])
    )


#: The entries of release.json, each with its form; no other entry is allowed.
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
    """Failed unless release.json has the required form and its rules are strict enough to protect people."""
    need(has_keys(about, " ".join(ENTRIES)), "file", "release.json")
    for name, is_so in ENTRIES.items():
        need(is_so(about[name]), "entry", name)
    rules = about["structure"]
    measures = set(states_of(rules))
    codes = codes_of(rules)
    every = [*rules["units"], *codes, CITY]
    need(len(set(every)) == len(every) <= MOST_ROWS, "entry", "structure")
    need(sorted(rules["categories"]) == sorted(BY_CATEGORY), "entry", "structure")
    groups = [(whole, set(parts)) for whole, parts in rules["groups"]]
    need(all({whole} | parts <= measures for whole, parts in groups), "entry", "structure")
    need(all(group in groups for group in GROUPS.items()), "entry", "structure")
    need(set(about["category_k"]) <= set(codes), "entry", "category_k")
    for name, k in [("k", about["k"]), *sorted(about["category_k"].items())]:
        need(k >= LEAST_K, "k", name, LEAST_K)
    for name in about["known"]:
        need(name in {f"{CITY}.{measure}" for measure in measures}, "known", name)
    need({*about["assumed"]["fixed"], *about["assumed"]["grows"]} <= measures, "entry", "assumed")
    hold_tables(about, measures)


def hold_tables(about: Any, measures: set[str]) -> None:
    """Failed unless there is one table of each kind and its measures exist; categories have only "verified"."""
    tables = about["tables"]
    need([table["rows"] for table in sorted(tables, key=lambda one: str(one["rows"]))] == KINDS, "tables")
    need(len({table["key"] for table in tables}) == len(tables), "tables")
    for table in tables:
        own = set(table["measures"])
        need(own == {"verified"} if table["rows"] == "category" else own <= measures, "entry", "tables")


def states_of(rules: Any) -> dict[str, set[str]]:
    """The set of states that each measure adds up. Failed if a sum is circular, counts a state twice or is misnamed."""
    need(set(rules["states"]) == STATES, "entry", "structure")
    found: dict[str, set[str]] = {state: {state} for state in rules["states"]}
    for _ in rules["sums"]:
        for name, parts in rules["sums"].items():
            if name not in found and all(part in found for part in parts):
                states = [state for part in parts for state in found[part]]
                need(states and len(set(states)) == len(states), "entry", "structure")
                found[name] = set(states)
    need(set(found) == STATES | set(rules["sums"]), "entry", "structure")
    need(not STATES & set(rules["sums"]), "entry", "structure")
    need(all(found.get(name) == states for name, states in MEANING.items()), "entry", "structure")
    return found


def codes_of(rules: Any) -> list[str]:
    """The codes of all categories."""
    return [code for codes in rules["categories"].values() for code in codes]


# The files


def content(folder: Path, name: str) -> bytes:
    """The content of a file of the folder. Failed if it is missing, too large, a link or a device."""
    try:
        about = (folder / name).lstat()
        need(stat.S_ISREG(about.st_mode) and about.st_size <= MOST_BYTES, "file", name)
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise Failed("missing", name) from None


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file by name. Failed unless the files are exactly those in SHA256SUMS, all unchanged."""
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
    """Decode UTF-8; Failed if it is not valid."""
    try:
        return raw.decode("utf-8")
    except ValueError:
        raise Failed("file", name) from None


def parsed(raw: bytes, name: str) -> Any:
    """Decode JSON. Failed if it is not valid, a key occurs twice in an object, or a number is not a valid count."""

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
    """Read a release. Failed unless its files are exactly the required ones, unchanged and in the required form."""
    files = files_of(folder)
    for name in OTHERS:
        need(name in files, "missing", name)
    about, ranges, proof = (parsed(files[name], name) for name in ("release.json", "audit.json", "proof.json"))
    hold(about)
    wanted = [*OTHERS, *(f"{table['key']}.csv" for table in about["tables"])]
    for name in sorted(set(wanted) ^ set(files)):
        raise Failed("unknown" if name in files else "missing", name)
    need(not is_text(folder.name, "[0-9]{4}") or folder.name == about["release"], "entry", "release")
    tables = {f"{table['key']}.csv": lines_of(table, files[f"{table['key']}.csv"], about) for table in about["tables"]}
    need(has_keys(ranges, "ranges") and isinstance(ranges["ranges"], dict), "file", "audit.json")
    sealed = hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    digest = hashlib.sha256(files["release.json"]).hexdigest()
    return Release(about, tables, ranges["ranges"], proof, digest, sealed)


def lines_of(table: Any, raw: bytes, about: Any) -> list[Line]:
    """The lines of a table file. Failed unless it has every measure of every row, once and in order."""
    name, rules = f"{table['key']}.csv", about["structure"]
    head, *texts = utf8(raw, name).split("\n")
    need(head == HEADING and texts and not texts.pop(), "line", name, 1)
    lines = [line_of(text, name, number, about) for number, text in enumerate(texts, 2)]
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
    """Read a line, number `number` of the file. Failed unless it has a value exactly if its status requires one."""
    parts = text.split(",")
    need(len(parts) == 4 and is_text(parts[0], NAME) and is_text(parts[1], NAME), "line", file, number)
    row, measure, value, status = parts
    need(status in STATUSES, "state", file, number)
    need(not value if STATUSES[status] is None else is_text(value, NUMBER), "value", file, number)
    line = Line(row, measure, int(value) if value else None, status)
    if status == "rounded":  # rounded figures are multiples of k + 1
        need(int(value) % (threshold(about, line.name) + 1) == 0, "value", file, number)
    return line


def hold_lines(table: Any, lines: Any, about: Any) -> None:
    """Failed unless a unit's lines agree on whether it has reported and all known totals are published exactly."""
    file, out = f"{table['key']}.csv", {line.row for line in lines if line.status == "not_due"}
    need(not out or table["rows"] == "unit", "reported", file, CITY)
    for line in lines:
        if line.row in out and line.measure not in ("suspected", "unverified"):
            need(line.status == "not_due", "reported", file, line.row)
        need(line.name not in about["known"] or line.status == "published", "known", line.name)
    for row in out:
        need(any(line.measure not in ("suspected", "unverified") for line in lines), "reported", file, row)


def load_all(folder: Path) -> list[Release]:
    """The release and all before it, oldest first. Failed if an earlier one is missing, changed or has other rules."""
    last = load(folder)
    about = last.about
    need(sorted(about["earlier"]) == [f"{number:04}" for number in range(1, int(about["release"]))], "earlier")
    rows = len(about["structure"]["units"]) + len(codes_of(about["structure"]))
    need(rows * int(about["release"]) <= MOST_ALL_ROWS, "many")
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
    """Each example's number (from 1) and its tables, one for each release: {row: {state: count}}.

    The file holds the first example in full and each later one as its differences from the first: [index, count].
    """
    places = [(unit, state) for unit in rules["units"] for state in rules["states"]]
    places += [(code, "verified") for code in codes_of(rules)]
    written = proof["tables"]
    need(isinstance(written, list) and written and all(isinstance(one, list) for one in written), "shape", 1)
    first, size = written[0], len(places) * releases
    need(len(first) == size and all(map(is_number, first)), "shape", 1)
    need(len(written) * size <= MOST_FIGURES, "many")
    for number, changes in enumerate(written, 1):
        values, last = list(first), -1
        for change in [] if number == 1 else changes:
            need(isinstance(change, list) and len(change) == 2 and all(map(is_number, change)), "shape", number)
            need(last < change[0] < size, "shape", number)
            last = change[0]
            values[last] = change[1]
        days: list[dict[str, Figures]] = []
        for start in range(0, size, len(places)):
            days.append({row: {} for row, _ in places})
            for (row, state), value in zip(places, values[start:]):  # noqa: B905 - the values of later releases follow
                days[-1][row][state] = value
        yield number, days


def figures_of(number: int, rows: dict[str, Figures], rules: Any) -> Figures:
    """Every figure of a table by name (`row.measure`). Failed unless the categories add up to the city's sums."""
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
    """Failed unless a table fits a release: exact figures, rounding intervals, and which units have reported."""
    for line in release.lines:
        if line.value is not None:
            slack = (STATUSES[line.status] or 0) * threshold(release.about, line.name)
            need(abs(figures[line.name] - line.value) <= slack, "figure", number, line.name)
    out = silent(release)
    for unit in release.about["structure"]["units"]:
        need(not figures[f"{unit}.{'verified' if unit in out else 'unverified'}"], "status", number, unit)


def moves(number: int, days: list[Figures], releases: list[Release], assumed: Any) -> None:
    """Failed unless figures of reported units, and categories, change between releases as `assumed` says."""
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


# What a reader can infer


def follows(release: Release) -> set[str]:
    """Names of figures that everybody knows: known totals, zeros of unreported units, what follows by addition."""
    rules, out = release.about["structure"], silent(release)
    rows, known = [*rules["units"], CITY], set(release.about["known"])
    silent_city = {CITY} if set(rules["units"]) <= out else set()
    zeros = [name for name in states_of(rules) if name not in ("suspected", "unverified")]
    known |= {f"{row}.{name}" for row in out | silent_city for name in zeros}
    known |= {f"{unit}.unverified" for unit in rules["units"] if unit not in out}
    known |= {f"{code}.verified" for code in codes_of(rules) if silent_city}
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
    """Each (whole, part) of every group, by figure name: of each unit, the city, and the city with its categories."""
    for row in [*rules["units"], CITY]:
        for whole, parts in rules["groups"]:
            yield from ((f"{row}.{whole}", f"{row}.{part}") for part in parts)
    yield from ((f"{CITY}.verified", f"{code}.verified") for code in codes_of(rules))
    for name, codes in rules["categories"].items():
        yield from ((f"{CITY}.{name}", f"{code}.verified") for code in codes)


def threshold(about: Any, name: str) -> int:
    """The k of a figure (`row.measure`); a sensitive category may have its own."""
    return int(about["category_k"].get(name.rsplit(".", 1)[0], about["k"]))


class Seen:
    """What all examples show of a release: each figure's least and greatest value, groups that are always one-sided."""

    def __init__(self, release: Release) -> None:
        """Start without any example."""
        self.release = release
        self.least: Figures = {}
        self.most: Figures = {}
        self.empty: set[str] = set()
        rules = release.about["structure"]
        self.alike = list(groups_of(rules)) if release.about["closing"] else []

    def add(self, figures: Figures) -> None:
        """Take in the figures of one more example."""
        for name, value in figures.items():
            self.least[name] = min(value, self.least.get(name, value))
            self.most[name] = max(value, self.most.get(name, value))
        self.alike = [(whole, part) for whole, part in self.alike if 0 < figures[whole] == figures[part]]

    def unread(self, at_close: bool) -> None:
        """Failed if a count can be inferred too closely or, at the close, a group to fall entirely into one part."""
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
        """Failed unless the examples reach both ends of the range of each withheld figure, and none goes beyond."""
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
    """Check a release; return the values for the texts `CHECKED` and `PROVED`. Failed says what does not hold.

    The program in the folder must be this one or have one of the SHA-256 digests `programs`.
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
            for one, values in zip(seen, figures):  # noqa: B905 - older Pythons know no `strict`
                fits(number, values, one.release)
                one.add(values)
            moves(number, figures, releases, last.about["assumed"])
        for one in seen:
            one.unread(last.about["closing"])
        seen[-1].reached()
    except (OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise Failed("file", folder.name) from error
    return summary(last, len(last.proof["tables"]), len(releases) - 1)


def summary(release: Release, examples_: int, before: int) -> dict[str, object]:
    """The values for `CHECKED` and `PROVED`, given the number of examples and of earlier releases."""
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
    """Check the folder argument and print the result in Chinese and English; return the exit code."""
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
