"""Forgeries of files, of JSON, and of rules; and all that there are."""

import shutil
from collections.abc import Mapping

from etl.exchange.release_folder import SUMS, write_sums
from tests.support.forgeries_of_figures import FIGURES, TABLES
from tests.support.forgeries_of_proofs import PROOFS
from tests.support.forgeries_of_structure import STRUCTURES
from tests.support.forging import (
    ABOUT,
    PROGRAM,
    PROOF,
    UNITS,
    Forgery,
    about,
    each,
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
from tests.support.releases import sealed_anew

FILES: Mapping[str, Forgery] = {
    "a text beside the tables": Forgery(put("note.txt", b"a child's name"), "sums", is_sealed=False),
    "a text that is listed": Forgery(put("note.txt", b"a child's name"), "sums"),
    "a table that no one names": Forgery(put("note.csv", b"a child's name"), "sums"),
    "a hidden file": Forgery(put(".DS_Store", b""), "sums", is_sealed=False),
    "a folder": Forgery(lambda folder: (folder / "more").mkdir(), "sums", is_sealed=False),
    "a name that steers the terminal": Forgery(put("\x1b[2J", b""), "sums", is_sealed=False),
    "no table": Forgery(gone(UNITS), "sums", is_sealed=False),
    "no table, sealed": Forgery(gone(UNITS), "sums"),
    "no release.json": Forgery(gone(ABOUT), "sums", is_sealed=False),
    "no proof": Forgery(gone(PROOF), "sums", is_sealed=False),
    "no proof, sealed": Forgery(each(gone(PROOF), write_sums), "sums", is_sealed=False),
    "no program": Forgery(gone(PROGRAM), "file"),
    "no list of files": Forgery(gone(SUMS), "file", is_sealed=False),
    "a table that is a link": Forgery(linked(UNITS), "file", is_sealed=False),
    "a list that is a link": Forgery(linked(SUMS), "file", is_sealed=False),
    "a program that is a link": Forgery(linked(PROGRAM), "file", is_sealed=False),
    "a pipe": Forgery(piped, "file", is_sealed=False),
    "a file too large to be read": Forgery(large, "file", is_sealed=False),
    "a table changed": Forgery(raw(UNITS, "^u0,suspected", "u0,suspecteD"), "sums", is_sealed=False),
    "a program changed": Forgery(put(PROGRAM, b"print('Proved')"), "program", is_sealed=False),
    "another program": Forgery(put(PROGRAM, b"print('Proved')"), "program"),
    "a file listed twice": Forgery(
        sums_line(lambda text: text + text.splitlines()[0] + "\n"), "file", is_sealed=False
    ),
    "a list that breaks off": Forgery(sums_line(lambda text: text[:-1]), "file", is_sealed=False),
    "digests in capitals": Forgery(sums_line(str.upper), "file", is_sealed=False),
    "a list with a path": Forgery(sums_line(lambda text: text.replace("units", "../units")), "file", is_sealed=False),
    "a list of another encoding": Forgery(sums_line(lambda text: "\udcff" + text), "file", is_sealed=False),
    "an empty list": Forgery(sums_line(lambda _: ""), "sums", is_sealed=False),
    "a file that is not listed": Forgery(
        sums_line(lambda text: "".join(line for line in text.splitlines(True) if UNITS not in line)),
        "sums", is_sealed=False,
    ),
}  # fmt: skip

JSON: Mapping[str, Forgery] = {
    "a k of 5.0": Forgery(about(k=5.0), "entry"),
    "a k of 1e1": Forgery(raw(ABOUT, '"k": 5', '"k": 1e1'), "entry"),
    "a k of NaN": Forgery(about(k=float("nan")), "entry"),
    "a k of -5": Forgery(about(k=-5), "entry"),
    "a k of a trillion": Forgery(about(k=10**12), "entry"),
    "a k of a thousand digits": Forgery(raw(ABOUT, '"k": 5', f'"k": {"5" * 5000}'), "file"),
    "a count with a zero before it": Forgery(raw(PROOF, r"\[\d+,", "[007,"), "file"),
    "brackets without end": Forgery(put(PROOF, b"[" * 100_000), "file"),
    "brackets within brackets": Forgery(put(PROOF, b"[" * 50_000 + b"]" * 50_000), "file"),
    "no JSON": Forgery(put(PROOF, b"proved"), "file"),
    "an empty file": Forgery(put(PROOF, b""), "file"),
    "a list where entries belong": Forgery(put(ABOUT, b"[]"), "file"),
    "a mark before the text": Forgery(raw(ABOUT, r"\A", "\ufeff"), "file"),
    "another encoding": Forgery(raw(ABOUT, "wafangdian", "\udcff"), "file"),
    "text of two bytes each": Forgery(put(PROOF, "{}".encode("utf-16")), "file"),
}

RULES: Mapping[str, Forgery] = {
    "a k of 1": Forgery(about(k=1), "entry"),
    "a k of 2": Forgery(about(k=2), "entry"),
    "a k in words": Forgery(about(k="5"), "entry"),
    "a k that is true": Forgery(about(k=True), "entry"),
    "a category's k of 1": Forgery(about(category_k={"I": 1}), "entry"),
    "a unit's k": Forgery(about(category_k={"u0": 5}), "entry"),
    "every figure of the units known": Forgery(
        about(known=[f"u{n}.{name}" for n in range(6) for name in ("suspected", "returned")]), "entry"
    ),
    "one figure of a unit known": Forgery(about(known=["city.suspected", "u4.returned"]), "entry"),
    "a category known": Forgery(about(known=["city.suspected", "J.verified"]), "entry"),
    "a figure known that there is not": Forgery(about(known=["city.nothing"]), "entry"),
    "a rounded figure known": Forgery(sooner(about(known=["city.suspected", "city.returned"])), "stack", "pair"),
    "a figure known twice": Forgery(about(known=["city.suspected"] * 2), "entry"),
    "known in a word": Forgery(about(known="city.suspected"), "entry"),
    "no assumption": Forgery(edit(ABOUT, lambda data: data.pop("assumed")), "file"),
    "one entry more": Forgery(about(note="a child's name"), "file"),
    "another number": Forgery(about(release="0002"), "file"),
    "a number before the first": Forgery(about(release="0000"), "entry"),
    "a number in other digits": Forgery(about(release="٠٠٠١"), "entry"),
    "a campaign that steers the terminal": Forgery(about(campaign="\x1b]0;x\x07"), "entry"),
    "a campaign in many words": Forgery(about(campaign="w" * 61), "entry"),
    "a day that there is not": Forgery(about(as_of="2019-02-30"), "file"),
    "a day in other digits": Forgery(about(as_of="２０１９-03-04"), "entry"),
    "a day in words": Forgery(about(as_of="4 March"), "entry"),
    "a closing of 1": Forgery(about(closing=1), "entry"),
    "a closing in words": Forgery(about(closing="no"), "entry"),
    "earlier releases of other names": Forgery(about(earlier={"../1": "0" * 64}), "entry"),
    "an earlier release that is not earlier": Forgery(about(earlier={"0001": "0" * 64}), "entry"),
    "an assumption of other measures": Forgery(
        about(assumed={"key": "still", "fixed": ["nothing"], "grows": []}), "entry"
    ),
    "an assumption with one entry more": Forgery(
        about(assumed={"key": "still", "fixed": [], "grows": [], "falls": []}), "entry"
    ),
    "an assumption whose name steers the terminal": Forgery(
        about(assumed={"key": "\u202e", "fixed": [], "grows": []}), "entry"
    ),
    "an earlier release that is a file": Forgery(
        each(sooner(shutil.rmtree), lambda folder: (folder.parent / "0001").write_text("x")),
        "file", "stack", is_sealed=False,
    ),
    "an earlier release that is gone": Forgery(sooner(shutil.rmtree), "file", "stack", is_sealed=False),
    "a file of an earlier release that is gone": Forgery(sooner(gone(ABOUT)), "sums", "stack", is_sealed=False),
    "an earlier release changed": Forgery(
        each(sooner(about(as_of="2019-03-03")), sooner(sealed_anew)), "stack", "stack", is_sealed=False
    ),
    "an earlier release left out": Forgery(about(earlier={}), "entry", "stack"),
    "an earlier release of other rules": Forgery(sooner(about(k=11)), "line", "stack"),
    "an earlier release of another campaign": Forgery(sooner(about(campaign="elsewhere")), "stack", "stack"),
    "an earlier release of a later day": Forgery(sooner(about(as_of="2019-03-05")), "stack", "stack"),
    "an earlier release of other units": Forgery(
        sooner(raw(ABOUT, '"u5"', '"u6"')), "entry", "stack"
    ),
    "an earlier release under its successor's name": Forgery(sooner(about(release="0002")), "file", "stack"),
    "two closing releases": Forgery(sooner(about(closing=True)), "line", "stack"),
    "a release that is a link": Forgery(moved, "file", is_sealed=False),
    "an earlier release that is a link": Forgery(sooner(moved), "file", "stack", is_sealed=False),
}  # fmt: skip

FORGERIES: Mapping[str, Forgery] = {**FILES, **JSON, **RULES, **STRUCTURES, **TABLES, **FIGURES, **PROOFS}
