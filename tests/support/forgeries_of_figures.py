"""Forgeries of how the figures hang together, of tables, and of proofs."""

import shutil
from collections.abc import Mapping

from tests.support.forging import (
    ABOUT,
    AUDIT,
    BAD_AUDIT,
    BAD_PROOF,
    CITY,
    HEAD,
    PROOF,
    STRUCTURE,
    UNITS,
    Forgery,
    about,
    each,
    edit,
    first_of,
    nested,
    put,
    raw,
    sooner,
    structure,
    table_less,
    table_too,
    unit_figures,
)
from tests.support.releases import sealed_anew

STRUCTURES: Mapping[str, Forgery] = {
    "sums of sums without end": Forgery(structure(nested), STRUCTURE),
    "sums in a circle": Forgery(structure(lambda data: data["sums"].update(a=["b"], b=["a"])), STRUCTURE),
    "a sum of itself": Forgery(structure(lambda data: data["sums"].update(a=["a"])), STRUCTURE),
    "a sum of nothing": Forgery(structure(lambda data: data["sums"].update(a=[])), STRUCTURE),
    "a sum with a state twice": Forgery(
        structure(lambda data: data["sums"].update(a=["to_return", "returned"])), STRUCTURE
    ),
    "a sum in the place of a state": Forgery(
        structure(lambda data: data["sums"].update(returned=["returned"])), STRUCTURE
    ),
    "a sum that means something else": Forgery(
        structure(lambda data: data["sums"].update(to_return=["returned", "unverified"])), STRUCTURE
    ),
    "a sum that is not there": Forgery(structure(lambda data: data["sums"].pop("to_return")), STRUCTURE),
    "a fifth state": Forgery(structure(lambda data: data["states"].append("gone")), STRUCTURE),
    "a state twice": Forgery(structure(lambda data: data["states"].append("returned")), STRUCTURE),
    "sums as a list": Forgery(structure(lambda data: data.update(sums=[])), STRUCTURE),
    "no groups": Forgery(structure(lambda data: data.update(groups=[])), STRUCTURE),
    "one group less": Forgery(structure(lambda data: data["groups"].pop()), STRUCTURE),
    "a group of other parts": Forgery(
        structure(lambda data: data["groups"].__setitem__(1, ["to_return", ["returned"]])), STRUCTURE
    ),
    "a group without parts": Forgery(structure(lambda data: data["groups"].append(["verified", []])), STRUCTURE),
    "a group of what there is not": Forgery(
        structure(lambda data: data["groups"].append(["nothing", ["returned"]])), STRUCTURE
    ),
    "a group of three": Forgery(structure(lambda data: data["groups"][0].append(1)), STRUCTURE),
    "a unit twice": Forgery(structure(lambda data: data["units"].append("u0")), STRUCTURE),
    "a unit called city": Forgery(structure(lambda data: data["units"].append("city")), STRUCTURE),
    "a unit called like a category": Forgery(structure(lambda data: data["units"].append("A")), STRUCTURE),
    "a unit that steers the terminal": Forgery(structure(lambda data: data["units"].append("\x1b[1m")), STRUCTURE),
    "a unit more": Forgery(structure(lambda data: data["units"].append("u6")), ("rows", UNITS)),
    "a unit less": Forgery(structure(lambda data: data["units"].pop()), ("rows", UNITS)),
    "units in another order": Forgery(structure(lambda data: data["units"].reverse()), ("rows", UNITS)),
    "too many units": Forgery(structure(lambda data: data["units"].extend(f"v{n}" for n in range(5000))), STRUCTURE),
    "a category of both sums": Forgery(structure(lambda data: data["categories"]["to_return"].append("A")), STRUCTURE),
    "a category more": Forgery(
        structure(lambda data: data["categories"]["to_return"].append("N")), ("rows", "categories.csv")
    ),
    "a category less": Forgery(
        structure(lambda data: data["categories"]["to_return"].pop()), ("rows", "categories.csv")
    ),
    "categories in another order": Forgery(
        structure(lambda data: data["categories"]["to_return"].reverse()), ("rows", "categories.csv")
    ),
    "a category that changes sides": Forgery(
        structure(lambda data: data["categories"]["deducted"].append(data["categories"]["to_return"].pop(0))),
        ("city", 1, "deducted"),
    ),
    "no categories of a sum": Forgery(structure(lambda data: data["categories"].pop("to_return")), STRUCTURE),
    "categories of another sum": Forgery(structure(lambda data: data["categories"].update(verified=[])), STRUCTURE),
    "more sums than can be added": Forgery(
        structure(lambda data: data["sums"].update({f"s{n}": [f"s{n + 1}"] for n in range(9000)})), STRUCTURE
    ),
    "more groups than can be looked at": Forgery(
        structure(lambda data: data["groups"].extend([["verified", ["returned"]]] * 9000)), STRUCTURE
    ),
    "one entry more in it": Forgery(structure(lambda data: data.update(note=[])), STRUCTURE),
    "a second table of the units": Forgery(table_too, ("tables",)),
    "a table less": Forgery(table_less, ("tables",)),
    "a table that is not named": Forgery(edit(ABOUT, lambda data: data["tables"].pop()), ("tables",)),
    "a table twice": Forgery(
        edit(ABOUT, lambda data: data["tables"].__setitem__(2, data["tables"][1] | {"rows": "category"})), ("tables",)
    ),
    "a table of other rows": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(rows="child")), ("tables",)),
    "a table of a measure that there is not": Forgery(
        edit(ABOUT, lambda data: data["tables"][0]["measures"].append("names")), ("entry", "tables")
    ),
    "a table with a measure twice": Forgery(
        edit(ABOUT, lambda data: data["tables"][0]["measures"].append("returned")), ("entry", "tables")
    ),
    "a table of nothing": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(measures=[])), ("entry", "tables")),
    "categories by another measure": Forgery(
        edit(ABOUT, lambda data: data["tables"][2].update(measures=["returned"])), ("entry", "tables")
    ),
    "a title that steers the terminal": Forgery(
        edit(ABOUT, lambda data: data["tables"][0].update(title="\x1b[31m")), ("entry", "tables")
    ),
    "no English title": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(title_en="")), ("entry", "tables")),
    "a table with a path": Forgery(
        edit(ABOUT, lambda data: data["tables"][0].update(key="../city")), ("entry", "tables")
    ),
    "tables as an object": Forgery(about(tables={}), ("entry", "tables")),
}  # fmt: skip

HELD = "^(u4,returned),,suppressed"  # withheld in the last line but five
TABLES: Mapping[str, Forgery] = {
    "a figure in a withheld cell": Forgery(raw(UNITS, HELD, r"\1,3,suppressed"), ("value", UNITS, 21)),
    "an exact cell without a figure": Forgery(raw(UNITS, "^(u0,suspected),82", r"\1,"), ("value", UNITS, 2)),
    "a status that there is not": Forgery(raw(UNITS, HELD, r"\1,,hidden"), ("state", UNITS, 21)),
    "a status in capitals": Forgery(raw(UNITS, HELD, r"\1,,SUPPRESSED"), ("state", UNITS, 21)),
    "a status with a space": Forgery(raw(UNITS, HELD, r"\1,,suppressed "), ("state", UNITS, 21)),
    "a doubled line": Forgery(raw(UNITS, "^(u0,suspected,.*\n)", r"\1\1"), ("rows", UNITS)),
    "a line left out": Forgery(raw(UNITS, "^u0,suspected,.*\n", ""), ("rows", UNITS)),
    "lines in another order": Forgery(raw(UNITS, "^(u0,s.*\n)(u0,v.*\n)", r"\2\1"), ("rows", UNITS)),
    "units by their figures": Forgery(raw(UNITS, r"((?:^u0.*\n){4})((?:^u1.*\n){4})", r"\2\1"), ("rows", UNITS)),
    "categories by their figures": Forgery(
        raw("categories.csv", "^(A.*\n)(B.*\n)", r"\2\1"), ("rows", "categories.csv")
    ),
    "more categories than there are": Forgery(
        each(
            put("categories.csv", HEAD + b"".join(b"N%d,verified,0,published\n" % n for n in range(20_000))),
            structure(lambda data: data["categories"]["to_return"].extend(f"M{n}" for n in range(4000))),
        ),
        ("rows", "categories.csv"),
    ),
    "a row of another name": Forgery(raw(CITY, "^city", "child"), ("rows", CITY)),
    "a row whose name steers the terminal": Forgery(raw(UNITS, "^u0,", "\x1b[2Ju0,"), ("line", UNITS, 2)),
    "a row of another script": Forgery(raw(UNITS, "^u0,", "ｕ0,"), ("line", UNITS, 2)),
    "a measure that there is not": Forgery(raw(UNITS, "^u0,suspected", "u0,names"), ("rows", UNITS)),
    "a fifth column": Forgery(raw(UNITS, "^(u0,suspected.*)", r"\1,a name"), ("line", UNITS, 2)),
    "a figure in quotes": Forgery(raw(UNITS, "^(u0,suspected),82", r'\1,"82"'), ("value", UNITS, 2)),
    "lines that end otherwise": Forgery(raw(UNITS, "^(u0,suspected.*)", "\\1\r"), ("state", UNITS, 2)),
    "a table that breaks off": Forgery(raw(UNITS, r"\n\Z", ""), ("line", UNITS, 1)),
    "another heading": Forgery(raw(UNITS, "value", "figure"), ("line", UNITS, 1)),
    "an empty table": Forgery(put(UNITS, b""), ("line", UNITS, 1)),
    "a heading that breaks off": Forgery(put(UNITS, HEAD.strip()), ("line", UNITS, 1)),
    "a measure that steers the terminal": Forgery(raw(UNITS, "^u0,suspected", "u0,\x1b[2J"), ("line", UNITS, 2)),
    "listed children not due and nothing else published": Forgery(
        each(
            edit(ABOUT, lambda data: data["tables"][1].update(measures=["suspected"])),
            lambda folder: (folder / UNITS).write_bytes(
                HEAD + b"".join(b"u%d,suspected,82,published\n" % n for n in range(5)) + b"u5,suspected,,not_due\n"
            ),
        ),
        ("reported", UNITS, "u5"),
    ),
    "a heading alone": Forgery(put(UNITS, HEAD), ("rows", UNITS)),
    "a mark before the table": Forgery(raw(UNITS, r"\A", "\ufeff"), ("line", UNITS, 1)),
    "a table of another encoding": Forgery(raw(UNITS, "^u0", "\udcff"), ("file", UNITS)),
    **{
        f"a figure of {text!r}": Forgery(raw(UNITS, "^(u0,suspected),82", rf"\1,{text}"), ("value", UNITS, 2))
        for text in ("082", "+82", " 82", "82.0", "8_2", "-82", "８２", "٨٢", "8e1", "1" * 10, "0x52", "八十二", "\x1b")
    },
    "a figure one more": Forgery(raw(UNITS, "^(u0,suspected),82", r"\1,83"), ("figure", 1, "u0.suspected")),
    "a withheld figure published": Forgery(raw(UNITS, HELD, r"\1,0,published"), ("figure", 1, "u4.returned")),
    "one figure not due": Forgery(raw(UNITS, "^(u0,verified),82,.*", r"\1,,not_due"), ("reported", UNITS, "u0")),
    "a figure of who has not reported": Forgery(
        raw(UNITS, "^(u5,returned),.*", r"\1,0,published"), ("reported", UNITS, "u5")
    ),
    "the city not due": Forgery(raw(CITY, "^(city,returned),.*", r"\1,,not_due"), ("reported", CITY, "city")),
    "who has not reported shown as done": Forgery(unit_figures("u5", "published", "0"), ("status", 1, "u5")),
    "who has reported shown as not": Forgery(
        each(unit_figures("u0", "not_due"), edit(AUDIT, lambda data: data.update(ranges={}))), ("status", 1, "u0")
    ),
    "a listed total that is known withheld": Forgery(
        raw(CITY, "^(city,suspected),.*", r"\1,,suppressed"), ("known", "city.suspected")
    ),
    "a rounded figure that rounding never gives": Forgery(
        sooner(raw(UNITS, r"^(u0,verified),\d+", r"\1,85")), ("value", UNITS, 3), "stack"
    ),
    "a rounded figure two steps off": Forgery(
        sooner(raw(UNITS, r"^(u0,verified),\d+", r"\1,102")), ("figure", 1, "u0.verified"), "stack"
    ),
}  # fmt: skip

PROOFS: Mapping[str, Forgery] = {
    "a range of a cell that is published": Forgery(
        edit(AUDIT, lambda data: data["ranges"].update({"u0.returned": [0, 9]})), ("range", "u0.returned")
    ),
    "a range left out": Forgery(edit(AUDIT, lambda data: data["ranges"].pop("u4.returned")), ("range", "u4.returned")),
    "a range without a least": Forgery(
        edit(AUDIT, lambda data: data["ranges"]["u4.returned"].__setitem__(0, None)), ("range", "u4.returned")
    ),
    "a range in words": Forgery(
        edit(AUDIT, lambda data: data["ranges"].update({"u4.returned": "06"})), ("range", "u4.returned")
    ),
    "a range of one end": Forgery(
        edit(AUDIT, lambda data: data["ranges"]["u4.returned"].pop()), ("range", "u4.returned")
    ),
    "a range with false in the place of 0": Forgery(
        edit(AUDIT, lambda data: data["ranges"]["u4.returned"].__setitem__(0, False)), ("range", "u4.returned")
    ),
    "ranges as a list": Forgery(edit(AUDIT, lambda data: data.update(ranges=[])), BAD_AUDIT),
    "one entry more in audit.json": Forgery(edit(AUDIT, lambda data: data.update(note="a name")), BAD_AUDIT),
    "one entry more in the proof": Forgery(edit(PROOF, lambda data: data.update(note="a name")), BAD_PROOF),
    "a proof of another number": Forgery(edit(PROOF, lambda data: data.update(release="0002")), ("other",)),
    "a proof without examples": Forgery(edit(PROOF, lambda data: data.update(tables=[])), ("shape", 1)),
    "a proof of more than can be checked": Forgery(
        edit(PROOF, lambda data: data["tables"].extend([[]] * 91_000)), ("many",), "stack"
    ),
    "an example with more children than there are": Forgery(edit(PROOF, lambda data: first_of(data, 10**9)), BAD_PROOF),
    "an example in words": Forgery(edit(PROOF, lambda data: first_of(data, "0")), ("shape", 1)),
    "an example with a null": Forgery(edit(PROOF, lambda data: first_of(data, None)), ("shape", 1)),
    "one example alone": Forgery(
        edit(PROOF, lambda data: data.update(tables=data["tables"][:1])), ("group", "u3.to_return", "u3.returned")
    ),
    "a range of a cell that the last of several publishes": Forgery(
        edit(AUDIT, lambda data: data["ranges"].update({"u0.returned": [0, 9]})), ("range", "u0.returned"), "stack"
    ),
    "an earlier release that is a file": Forgery(
        each(sooner(shutil.rmtree), lambda folder: (folder.parent / "0001").write_text("x")),
        ("missing", "0001"), "stack", is_sealed=False,
    ),
    "an earlier release that is gone": Forgery(
        lambda folder: (folder.parent / "0001" / ABOUT).unlink(), ("missing", ABOUT), "stack", is_sealed=False
    ),
    "an earlier release changed": Forgery(
        each(sooner(about(as_of="2019-03-03")), sooner(sealed_anew)), ("changed", "0001/SHA256SUMS"), "stack",
        is_sealed=False,
    ),
    "an earlier release of other rules": Forgery(sooner(about(k=11)), ("value", CITY, 3), "stack"),
    "an earlier release of another campaign": Forgery(sooner(about(campaign="elsewhere")), ("rules", "0001"), "stack"),
    "an earlier release of a later day": Forgery(sooner(about(as_of="2019-03-05")), ("order", "0001"), "stack"),
    "a rounded release after a closing one": Forgery(sooner(about(closing=True)), ("order", "0001"), "stack"),
    "an assumption that the examples do not follow": Forgery(
        about(assumed={"key": "still", "fixed": ["suspected", "returned"], "grows": []}),
        ("moves", 1, "u2.returned"), "stack",
    ),
}  # fmt: skip
