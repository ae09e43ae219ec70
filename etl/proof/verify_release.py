#!/usr/bin/env python3
"""验证一次公布：任何人都可运行，只需 Python，不需要其他任何东西。 Check a release: for anyone, with Python alone.

    python3 verify_release.py [FOLDER]

FOLDER (by default this program's own) holds a release: release.json, its tables, proof.json and SHA256SUMS. Earlier
releases lie in folders beside it. proof.json is a list of examples: complete tables of whole numbers, each of which
fits every published figure, so that any of them could be the truth. This program only adds and compares. It trusts
nothing: what is not in the form required is refused. `PROVED` and `NOT_PROVED` say what it proves and what it cannot.
Exit code 0: the release holds; 1: it does not.
"""

from __future__ import annotations  # so that Python 3.9 can run it, too

import datetime
import hashlib
import json
import os
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: The least k that is accepted; the most bytes of a file, rows of a release, sums of a row, numbers of all examples.
LEAST_K, MOST_BYTES, MOST_ROWS, MOST_SUMS, MOST_NUMBERS = 3, 1 << 26, 10_000, 12, 20_000_000
#: How often `inferred` goes through all sums; going on could only narrow its bounds, so that less would be asked.
MOST_ROUNDS = 100
CITY, INF, NAME = "city", float("inf"), "[A-Za-z0-9][A-Za-z0-9_-]{0,59}"
HEADING = "row,measure,status,value,low,high,rounded"
LINE = re.compile("([^,]+),([^,]+),(exact|interval|rounded|not_due)" + ",(0|[1-9][0-9]{0,8})?" * 4)
#: Every child is in one of four states; what the sums must add up that have a meaning of their own.
STATES = {"unverified", "deducted", "returned", "still_out"}
MEANING = {"suspected": STATES, "verified": STATES - {"unverified"}, "to_return": {"returned", "still_out"}}
RULES = ("campaign", "structure", "k", "category_k", "known")
KEYS = {*RULES, "release", "as_of", "closing", "earlier", "assumed", "tables"}

SAYS = {
    "file": ("文件 {0} 缺失、不可读或不合规定的格式", "{0} is missing, unreadable or not in the required form"),
    "sums": ("{0} 与 SHA256SUMS 或 release.json 所列不符", "{0} is not as SHA256SUMS and release.json list it"),
    "program": ("文件夹里的 verify_release.py 不是本程序", "verify_release.py in the folder is not this program"),
    "entry": ("release.json 中的 {0} 不合规定", "{0} in release.json is not valid"),
    "line": ("{0} 第 {1} 行不合规定", "line {1} of {0} is not valid"),
    "stack": ("公布 {0} 缺失、已改动，或规则、次序不同", "release {0} is missing, changed, or of other rules or order"),
    "shape": ("第 {0} 个例子不是完整的整数表", "example {0} is not a complete table of whole numbers"),
    "fits": ("第 {0} 个例子与公布的 {1} 不符", "example {0} does not fit what is published of {1}"),
    "narrow": ("{0} 可能的值不足 {1} 个", "{0} has fewer than {1} possible values"),
    "end": ("没有例子达到 {0} 的区间的一端", "no example reaches an end of the interval of {0}"),
}
PROVED = (
    "已证实：{campaign} 第 {release} 次公布（截至 {as_of}，k = {k}{own}，人人已知：{known}，假设：{assumed}）。"
    "共 {count} 个数：{exact} 个确切数、{interval} 个区间、{rounded} 个约数、{not_due} 个未报送。"
    "{examples} 个例子都符合公布的数，达到每个区间的两端；未确切公布的数，无论是否列出，都至少有 k 个可能的值，"
    "除非由加减即知其大于 {top}。请与您所知的核对。",
    "Proved: {campaign}, release {release} (as of {as_of}, k = {k}{own}, known to all: {known}, assumed: {assumed}). Of"
    " {count} figures {exact} are exact, {interval} intervals, {rounded} rounded, {not_due} not reported. {examples}"
    " examples fit all of them and reach both ends of every interval; every count that is not published exactly,"
    " printed or not, has at least k possible values, unless addition shows it to be above {top}. Compare with what"
    " you know.",
)
NOT_PROVED = (
    "不能证实：公布的数是否属实；读者另有所知时的情形（各单位知道本单位的数：公布前已核查，无法在此公开证明）。",
    "Not proved: that the figures are true; what a reader can infer who knows more (that each unit knows its own row"
    " was checked before the release, and cannot be proved here without publishing the rows).",
)


class Failed(Exception):
    """The release does not hold; `key` names the reason in `SAYS`."""

    def __init__(self, key: str, *values: object) -> None:
        """Fill in at most 200 characters of each value, without those that could control a terminal."""
        self.key = key
        texts = ["".join(c if c.isprintable() else "?" for c in str(value)[:200]) for value in values]
        super().__init__(" / ".join(text.format(*texts) for text in SAYS[key]))


class Release(NamedTuple):
    """A release: `figures` by name (``city.returned``) are (status, least, most), `zeros` the states surely zero."""

    about: Any  # release.json
    figures: dict[str, tuple[str, float, float]]
    zeros: set[str]
    proof: Any  # proof.json
    digest: str  # of SHA256SUMS


def need(holds: object, key: str, *values: object) -> None:
    """Raise `Failed` unless the condition holds."""
    if not holds:
        raise Failed(key, *values)


def is_names(value: Any, allowed: Collection[str] | None = None) -> bool:
    """Whether a value is a list of distinct names, all of them among those that are `allowed`."""
    if not isinstance(value, list) or not len(set(value)) == len(value) <= MOST_ROWS:
        return False
    return all(re.fullmatch(NAME, one) if allowed is None else one in allowed for one in value)


def below(tree: Any, name: str) -> list[str]:
    """`name` and all that it is made of. Failed if anything is met twice: it would be counted twice, or for ever."""
    found = [name]
    for one in found:  # which grows meanwhile
        found += tree.get(one, [])
        need(len(found) <= MOST_ROWS, "entry", name)
    need(len(set(found)) == len(found), "entry", name)
    return found


def codes_of(rules: Any) -> list[str]:
    """The codes of all categories."""
    return [code for codes in rules["categories"].values() for code in codes]


def top_of(about: Any, row: str) -> int:
    """The greatest count of a row that may not be exact: the end of the step of the grid of k + 1 that holds its k."""
    step = about["k"] + 1
    return int((max(about["category_k"].get(row, 0), about["k"]) // step + 1) * step - 1)


def content(folder: Path, name: str) -> bytes:
    """The content of a plain file. Failed if it is missing, too large, a link or a device."""
    path = folder / name
    need(path.is_file() and not path.is_symlink() and path.stat().st_size <= MOST_BYTES, "file", name)
    return path.read_bytes()


def load(folder: Path) -> Release:
    """Read a release. Failed unless SHA256SUMS lists exactly its files, unchanged, and all have the required form."""
    need(folder.is_dir() and not folder.is_symlink(), "file", folder.name)
    listing = content(folder, "SHA256SUMS").decode("ascii")
    sums = {name: digest for digest, name in re.findall("([0-9a-f]{64})  ([a-z_]+[.][a-z]+)\n", listing)}
    need("".join(f"{digest}  {name}\n" for name, digest in sums.items()) == listing, "file", "SHA256SUMS")
    odd = {*sums, "SHA256SUMS"} ^ {path.name for path in folder.iterdir()}
    need(not odd, "sums", ", ".join(sorted(odd)))
    files = {name: content(folder, name) for name in sums}
    for name, data in files.items():
        need(hashlib.sha256(data).hexdigest() == sums[name], "sums", name)
    about = json.loads(files["release.json"].decode())
    hold(about)
    tables = {f"{table['key']}.csv": table for table in about["tables"]}
    odd = files.keys() ^ {*tables, "release.json", "proof.json", "verify_release.py"}
    need(not odd, "sums", ", ".join(sorted(odd)))
    proof = json.loads(files["proof.json"].decode())
    need(proof.keys() == {"release", "sha256", "counts", "examples"}, "file", "proof.json")
    need((proof["release"], proof["sha256"]) == (about["release"], sums["release.json"]), "file", "proof.json")
    figures = {one: figure for name in tables for one, figure in figures_of(files[name].decode(), tables[name], about)}
    silent = {name.split(".")[0] for name, figure in figures.items() if figure[0] == "not_due"}
    # A unit that has not reported has unverified children only; one that has reported has none.
    pairs = [(unit, state) for unit in about["structure"]["units"] for state in STATES]
    zeros = {f"{unit}.{state}" for unit, state in pairs if (state == "unverified") is (unit not in silent)}
    return Release(about, figures, zeros, proof, hashlib.sha256(listing.encode()).hexdigest())


def hold(about: Any) -> None:
    """Failed unless release.json has the required form and its rules are strict enough to protect people."""
    need(isinstance(about, dict) and about.keys() == KEYS, "file", "release.json")
    rules, assumed, tables, day = about["structure"], about["assumed"], about["tables"], about["as_of"]
    hold_structure(rules)
    measures, limits = {*STATES, *rules["sums"]}, [about["k"], *about["category_k"].values()]
    need(re.fullmatch("(?!0000)[0-9]{4}", about["release"]) and is_names([about["campaign"]]), "entry", "release")
    need(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", day) and datetime.date(*map(int, day.split("-"))), "entry", "as_of")
    need(type(about["closing"]) is bool, "entry", "closing")
    need({*about["category_k"]} <= {*codes_of(rules)}, "entry", "category_k")
    need(all(type(k) is int and LEAST_K <= k < 10**9 for k in limits), "entry", "k")
    need(is_names(about["known"], [f"{CITY}.{name}" for name in measures]), "entry", "known")
    need(assumed.keys() == {"key", "fixed", "grows"}, "entry", "assumed")
    need(is_names(assumed["fixed"], measures) and is_names(assumed["grows"], measures), "entry", "assumed")
    kinds = sorted(table["rows"] for table in tables if table["rows"] != "area")
    need(kinds == ["category", CITY, "unit"] and len(tables) <= 4, "entry", "tables")
    need(is_names([table["key"] for table in tables]), "entry", "tables")
    titles = [assumed["key"], *(table[title] for table in tables for title in ("title", "title_en"))]
    need(all(type(one) is str and one.isprintable() and 0 < len(one) <= 200 for one in titles), "entry", "title or key")
    for table in tables:
        need(table.keys() == {"key", "rows", "measures", "title", "title_en"}, "entry", "tables")
        need(is_names(table["measures"], ["verified"] if table["rows"] == "category" else measures), "entry", "tables")


def hold_structure(rules: Any) -> None:
    """Failed unless the sums have their meaning, and every unit is in the city once, by itself or in an area."""
    need(rules.keys() == {"units", "areas", "states", "sums", "categories"}, "entry", "structure")
    units, areas, sums, categories = rules["units"], rules["areas"], rules["sums"], rules["categories"]
    parts = [one for tree in (areas, sums, categories) for one in (list(tree), *tree.values())]
    need(all(map(is_names, [units, rules["states"], *parts])) and all(parts), "entry", "structure")
    need({*rules["states"]} == STATES and not STATES & {*sums} and len(sums) <= MOST_SUMS, "entry", "structure")
    meant = {name: {*below(sums, name)} - {*sums} for name in sums}
    need(all(one <= STATES for one in meant.values()) and MEANING.items() <= meant.items(), "entry", "structure")
    need(sorted(below(areas, CITY)) == sorted([*areas, *units]), "entry", "structure")
    rows = [*areas, *units, *codes_of(rules)]
    need(len(set(rows)) == len(rows) <= MOST_ROWS and {*categories} == {"deducted", "to_return"}, "entry", "structure")


def figures_of(text: str, table: Any, about: Any) -> Iterator[tuple[str, tuple[str, float, float]]]:
    """Each (name, figure) of a table. Failed unless its rows are complete and all lines have the required form."""
    rules, key, kind = about["structure"], table["key"], table["rows"]
    rows = {CITY: {CITY}, "unit": {*rules["units"]}, "category": {*codes_of(rules)}, "area": {*rules["areas"]} - {CITY}}
    heading, *lines = text.split("\n")
    need(heading == HEADING and lines and lines.pop() == "", "line", key, 1)
    named = list(dict.fromkeys(line.split(",")[0] for line in lines))
    silent = {line.split(",")[0] for line in lines if ",not_due," in line}
    need({*named} == rows[kind] and (not silent or kind in ("area", "unit")), "line", key, 2)
    places = [(row, name) for row in named for name in table["measures"]]
    need(len(lines) == len(places), "line", key, 2)
    for number, (line, place) in enumerate(zip(lines, places), 2):  # noqa: B905 - Python 3.9 has no `strict`
        found = LINE.fullmatch(line)
        need(found and found.groups()[:2] == place, "line", key, number)
        status, *texts = found.groups()[2:] if found else ("",)
        numbers: list[Any] = [None if one is None else int(one) for one in texts]
        value, low, high, rounded = numbers
        top = top_of(about, place[0])
        near: tuple[float, float] = (0, INF) if rounded is None else (max(rounded - top, 0), rounded + top)
        good = {
            "exact": value is not None and value == low == high,
            "interval": value is None and None not in (low, high) and low < high,
            "rounded": not about["closing"] and rounded is not None and (value, low, high) == (rounded, *near),
            "not_due": numbers == [None] * 4,
        }
        need(good[status] and (status == "not_due") is (place[0] in silent), "line", key, number)
        need((rounded or 0) % (top + 1) == 0, "line", key, number)
        ends = near if low is None else (max(low, near[0]), min(high, near[1]))
        yield ".".join(place), (status, *ends)


def load_all(folder: Path) -> list[Release]:
    """The release and all before it, oldest first. Failed if one is missing or changed, or they do not go together."""
    last = load(folder)
    earlier, number = last.about["earlier"], int(last.about["release"])
    need(type(earlier) is dict and sorted(earlier) == [f"{one:04}" for one in range(1, number)], "entry", "earlier")
    found = [*(load(folder.parent / name) for name in sorted(earlier)), last]
    for one, after in zip(found, found[1:]):  # noqa: B905, RUF007 - Python 3.9 knows neither
        name = one.about["release"]
        need(one.digest == earlier[name] and one.about["as_of"] <= after.about["as_of"], "stack", name)
        need(all(one.about[rule] == last.about[rule] for rule in RULES), "stack", name)
    need(sum(one.about["closing"] for one in found) <= 1, "stack", last.about["release"])
    return found


def equations(rules: Any) -> Iterator[tuple[str, list[str]]]:
    """Every sum that holds in a table: (whole, its parts), by the names of counts."""
    for row in (*rules["areas"], *rules["units"]):
        yield from ((f"{row}.{name}", [f"{row}.{one}" for one in parts]) for name, parts in rules["sums"].items())
    for name in (*rules["sums"], *rules["states"]):
        yield from ((f"{area}.{name}", [f"{row}.{name}" for row in parts]) for area, parts in rules["areas"].items())
    for name, codes in rules["categories"].items():
        yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]


def inferred(release: Release, names: Collection[str]) -> dict[str, list[float]]:
    """[least, greatest] of every count that adding and subtracting gives from the figures `names` and the zeros."""
    sums = list(equations(release.about["structure"]))
    found: dict[str, list[float]] = {name: [0, INF] for whole, parts in sums for name in (whole, *parts)}
    found.update({name: [*release.figures[name][1:]] for name in names if name in release.figures})
    found.update({name: [0, 0] for name in release.zeros})
    for _ in range(MOST_ROUNDS):
        before = {name: list(ends) for name, ends in found.items()}
        for whole, parts in sums:
            narrow(found[whole], [found[part] for part in parts])
        if found == before:
            break
    return found


def narrow(whole: list[float], parts: list[list[float]]) -> None:
    """Narrow the ends of a sum and of its parts by each other."""
    low, endless = sum(one[0] for one in parts), sum(one[1] == INF for one in parts)
    high = sum(one[1] for one in parts if one[1] < INF)
    whole[:] = [max(whole[0], low), min(whole[1], INF if endless else high)]
    for one in parts:
        others = INF if endless > (one[1] == INF) else high - (one[1] if one[1] < INF else 0)
        one[:] = [max(one[0], whole[0] - others), min(one[1], whole[1] - (low - one[0]))]


def fit(number: int, days: list[dict[str, int]], releases: list[Release]) -> None:
    """Failed unless an example fits all sums, all figures, and how counts are assumed to change between releases."""
    rules, assumed = releases[-1].about["structure"], releases[-1].about["assumed"]
    codes = [f"{code}.verified" for code in codes_of(rules) if "verified" in assumed["grows"]]
    for day, release in zip(days, releases):  # noqa: B905
        for whole, parts in equations(rules):
            need(day[whole] == sum(day[part] for part in parts), "fits", number, whole)
        for name, (_, low, high) in release.figures.items():
            need(low <= day[name] <= high, "fits", number, name)
        need(not any(day[name] for name in release.zeros), "fits", number, release.about["release"])
    for before, after, one, other in zip(days, days[1:], releases, releases[1:]):  # noqa: B905
        zeros = one.zeros & other.zeros
        units = [unit for unit in rules["units"] if f"{unit}.unverified" in zeros]  # who has reported on both days
        for name in [*(f"{unit}.{name}" for unit in units for name in assumed["grows"]), *codes]:
            need(after[name] >= before[name], "fits", number, name)
        for name in (f"{unit}.{name}" for unit in units for name in assumed["fixed"]):
            need(after[name] == before[name], "fits", number, name)


def prove(last: Release, releases: list[Release], is_closed: bool) -> None:
    """Failed unless the examples fit, and show that every count of these releases keeps enough possible values.

    Once there is a closing release (`is_closed`), counts that are surely large need none.
    """
    counts, examples = last.proof["counts"], last.proof["examples"]
    names = sorted({name for whole, parts in equations(last.about["structure"]) for name in (whole, *parts)})
    need(counts == [f"{one.about['release']}/{name}" for one in releases for name in names], "file", "proof.json")
    need(examples and len(examples) * len(counts) <= MOST_NUMBERS, "file", "proof.json")
    for number, example in enumerate(examples, 1):
        need(len(example) in (len(names), len(counts)), "shape", number)
        need(all(type(one) is int and 0 <= one < 10**9 for one in example), "shape", number)
        days = [dict(zip(names, example[start:])) for start in range(0, len(example), len(names))]  # noqa: B905
        fit(number, days, releases[-len(days) :])
    whole = [example for example in examples if len(example) == len(counts)]
    need(whole, "file", "proof.json")
    seen = {name: (min(values), max(values)) for name, *values in zip(counts, *whole)}  # noqa: B905
    for one in releases:
        public, sure, about = inferred(one, one.about["known"]), inferred(one, one.figures), one.about
        for name in names:
            place, row = f"{about['release']}/{name}", name.split(".")[0]
            k = about["category_k"].get(row, about["k"])
            enough = min(k - 1, public[name][1] - public[name][0])  # what is public anyway may leave fewer values
            is_large = is_closed and sure[name][0] > top_of(about, row)
            need(is_large or seen[place][1] - seen[place][0] >= enough, "narrow", place, k)
    days = [example[-len(names) :] for example in examples]
    seen = {name: (min(values), max(values)) for name, *values in zip(names, *days)}  # noqa: B905
    for name, (status, *ends) in last.figures.items():
        need(status != "interval" or [*seen[name]] == ends, "end", name)


def check(folder: Path, programs: Collection[str] = ()) -> dict[str, object]:
    """Check a release with this program in it, or one with a digest in `programs`; return the values of `PROVED`."""
    try:
        own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        need(hashlib.sha256(content(folder, "verify_release.py")).hexdigest() in {own, *programs}, "program")
        releases = load_all(folder)
        last, about = releases[-1], releases[-1].about
        ways = [*about["assumed"]["fixed"], *about["assumed"]["grows"]]
        is_closed = any(one.about["closing"] for one in releases)
        # If counts may change at will, no release tells of another.
        prove(last, releases if ways else [last], is_closed)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError) as error:
        raise Failed("file", folder.name) from error
    statuses = [figure[0] for figure in last.figures.values()]
    return {
        **about,
        **{status: statuses.count(status) for status in ("exact", "interval", "rounded", "not_due")},
        "own": "".join(f", {code}: {k}" for code, k in sorted(about["category_k"].items())),
        "known": ", ".join(about["known"]) or "–",
        "assumed": ", ".join([about["assumed"]["key"], *ways]),
        "count": len(statuses),
        "examples": len(last.proof["examples"]),
        "top": top_of(about, CITY),
    }


def main() -> int:
    """Check the folder argument and print the result in Chinese and English; return the exit code."""
    folder = Path(os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)  # noqa: PTH100
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a terminal that knows no Chinese
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
