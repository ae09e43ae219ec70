"""Forgeries of files, of JSON, and of rules; and all that there are."""

from collections.abc import Mapping

from etl.exchange.release_folder import SUMS
from tests.support.forgeries_of_figures import PROOFS, STRUCTURES, TABLES
from tests.support.forging import (
    ABOUT,
    AUDIT,
    BAD_ABOUT,
    BAD_AUDIT,
    BAD_PROOF,
    BAD_SUMS,
    PROGRAM,
    PROOF,
    UNITS,
    Forgery,
    about,
    edit,
    gone,
    large,
    linked,
    moved,
    piped,
    put,
    raw,
    sooner,
    sums_line,
)

FILES: Mapping[str, Forgery] = {
    "a text beside the tables": Forgery(put("note.txt", b"a child's name"), ("unknown", "note.txt"), is_sealed=False),
    "a text that is listed": Forgery(put("note.txt", b"a child's name"), BAD_SUMS),
    "a table that no one names": Forgery(put("note.csv", b"a child's name"), ("unknown", "note.csv")),
    "a hidden file": Forgery(put(".DS_Store", b""), ("unknown", ".DS_Store"), is_sealed=False),
    "a folder": Forgery(lambda folder: (folder / "more").mkdir(), ("unknown", "more"), is_sealed=False),
    "a name that steers the terminal": Forgery(put("\x1b[2J", b""), ("unknown", "?[2J"), is_sealed=False),
    "no table": Forgery(gone(UNITS), ("missing", UNITS), is_sealed=False),
    "no table, sealed": Forgery(gone(UNITS), ("missing", UNITS)),
    "no release.json": Forgery(gone(ABOUT), ("missing", ABOUT), is_sealed=False),
    "no audit.json": Forgery(gone(AUDIT), ("missing", AUDIT)),
    "no proof": Forgery(gone(PROOF), ("missing", PROOF), is_sealed=False),
    "no program": Forgery(gone(PROGRAM), ("missing", PROGRAM)),
    "no list of files": Forgery(gone(SUMS), ("missing", SUMS), is_sealed=False),
    "a table that is a link": Forgery(linked(UNITS), ("file", UNITS), is_sealed=False),
    "a list that is a link": Forgery(linked(SUMS), BAD_SUMS, is_sealed=False),
    "a program that is a link": Forgery(linked(PROGRAM), ("file", PROGRAM), is_sealed=False),
    "a release that is a link": Forgery(moved, ("missing", "0001"), is_sealed=False),
    "a pipe": Forgery(piped, ("file", UNITS), is_sealed=False),
    "a file too large to be read": Forgery(large, BAD_PROOF, is_sealed=False),
    "a table changed": Forgery(raw(UNITS, "^u0,suspected,82", "u0,suspected,83"), ("changed", UNITS), is_sealed=False),
    "a program changed": Forgery(put(PROGRAM, b"print('Proved')"), ("changed", PROGRAM), is_sealed=False),
    "another program": Forgery(put(PROGRAM, b"print('Proved')"), ("program",)),
    "a file listed twice": Forgery(
        sums_line(lambda text: text + text.splitlines()[0] + "\n"), BAD_SUMS, is_sealed=False
    ),
    "a list that breaks off": Forgery(sums_line(lambda text: text[:-1]), BAD_SUMS, is_sealed=False),
    "digests in capitals": Forgery(sums_line(str.upper), BAD_SUMS, is_sealed=False),
    "a list with a path": Forgery(sums_line(lambda text: text.replace("units", "../units")), BAD_SUMS, is_sealed=False),
    "a list of another encoding": Forgery(sums_line(lambda text: "\udcff" + text), BAD_SUMS, is_sealed=False),
    "a file that is not listed": Forgery(
        sums_line(lambda text: "".join(line for line in text.splitlines(True) if UNITS not in line)),
        ("unknown", UNITS), is_sealed=False,
    ),
}  # fmt: skip

JSON: Mapping[str, Forgery] = {
    "an entry given twice": Forgery(raw(ABOUT, '"k": 5', '"k": 5, "k": 5'), BAD_ABOUT),
    "an inner entry given twice": Forgery(raw(ABOUT, '"fixed": ', '"fixed": [], "fixed": '), BAD_ABOUT),
    "a k of 5.0": Forgery(about(k=5.0), BAD_ABOUT),
    "a k of 1e1": Forgery(raw(ABOUT, '"k": 5', '"k": 1e1'), BAD_ABOUT),
    "a k of NaN": Forgery(about(k=float("nan")), BAD_ABOUT),
    "a k of -5": Forgery(about(k=-5), BAD_ABOUT),
    "a k of a trillion": Forgery(about(k=10**12), BAD_ABOUT),
    "a k of a thousand digits": Forgery(raw(ABOUT, '"k": 5', f'"k": {"5" * 5000}'), BAD_ABOUT),
    "a count with a zero before it": Forgery(raw(AUDIT, r"\d+,", "007,"), BAD_AUDIT),
    "brackets without end": Forgery(put(PROOF, b"[" * 100_000), BAD_PROOF),
    "brackets within brackets": Forgery(put(AUDIT, b"[" * 50_000 + b"]" * 50_000), BAD_AUDIT),
    "no JSON": Forgery(put(PROOF, b"proved"), BAD_PROOF),
    "an empty file": Forgery(put(AUDIT, b""), BAD_AUDIT),
    "a list where entries belong": Forgery(put(ABOUT, b"[]"), BAD_ABOUT),
    "a mark before the text": Forgery(raw(ABOUT, r"\A", "\ufeff"), BAD_ABOUT),
    "another encoding": Forgery(raw(ABOUT, "wafangdian", "\udcff"), BAD_ABOUT),
    "text of two bytes each": Forgery(put(AUDIT, '{"ranges": {}}'.encode("utf-16")), BAD_AUDIT),
}

RULES: Mapping[str, Forgery] = {
    "a k of 1": Forgery(about(k=1), ("k", "k", 3)),
    "a k of 2": Forgery(about(k=2), ("k", "k", 3)),
    "a k in words": Forgery(about(k="5"), ("entry", "k")),
    "a k that is true": Forgery(about(k=True), ("entry", "k")),
    "a category's k of 1": Forgery(about(category_k={"I": 1}), ("k", "I", 3)),
    "a unit's k": Forgery(about(category_k={"u0": 5}), ("entry", "category_k")),
    "every figure of the units known": Forgery(
        about(known=[f"u{n}.{name}" for n in range(6) for name in ("suspected", "returned")]), ("known", "u0.suspected")
    ),
    "one figure of a unit known": Forgery(about(known=["city.suspected", "u4.returned"]), ("known", "u4.returned")),
    "a figure known that there is not": Forgery(about(known=["city.nothing"]), ("known", "city.nothing")),
    "a rounded figure known": Forgery(
        sooner(about(known=["city.suspected", "city.returned"])), ("known", "city.returned"), "stack"
    ),
    "a figure known twice": Forgery(about(known=["city.suspected"] * 2), ("entry", "known")),
    "known in a word": Forgery(about(known="city.suspected"), ("entry", "known")),
    "no assumption": Forgery(edit(ABOUT, lambda data: data.pop("assumed")), BAD_ABOUT),
    "one entry more": Forgery(about(note="a child's name"), BAD_ABOUT),
    "another number": Forgery(about(release="0002"), ("entry", "release")),
    "number nought": Forgery(about(release="0000"), ("entry", "release")),
    "a number in other digits": Forgery(about(release="٠٠٠١"), ("entry", "release")),
    "a campaign that steers the terminal": Forgery(about(campaign="\x1b]0;x\x07"), ("entry", "campaign")),
    "a campaign in many words": Forgery(about(campaign="w" * 61), ("entry", "campaign")),
    "a day that there is not": Forgery(about(as_of="2019-02-30"), ("entry", "as_of")),
    "a day in other digits": Forgery(about(as_of="２０１９-03-04"), ("entry", "as_of")),
    "a day in words": Forgery(about(as_of="20190304"), ("entry", "as_of")),
    "a closing of 1": Forgery(about(closing=1), ("entry", "closing")),
    "earlier releases without digests": Forgery(about(earlier={"0001": "x"}), ("entry", "earlier")),
    "earlier releases of other names": Forgery(about(earlier={"../1": "0" * 64}), ("entry", "earlier")),
    "an earlier release that is not earlier": Forgery(about(earlier={"0001": "0" * 64}), ("earlier",)),
    "an assumption of other measures": Forgery(
        about(assumed={"key": "still", "fixed": ["nothing"], "grows": []}), ("entry", "assumed")
    ),
    "an assumption with one entry more": Forgery(
        about(assumed={"key": "still", "fixed": [], "grows": [], "falls": []}), ("entry", "assumed")
    ),
    "an assumption whose name steers the terminal": Forgery(
        about(assumed={"key": "\u202e", "fixed": [], "grows": []}), ("entry", "assumed")
    ),
}

FORGERIES: Mapping[str, Forgery] = {**FILES, **JSON, **RULES, **STRUCTURES, **TABLES, **PROOFS}
