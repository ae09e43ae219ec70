"""Forgeries of tables and of the figures in them."""

from collections.abc import Mapping

from tests.support.forging import (
    ABOUT,
    CATEGORIES,
    CITY,
    HEAD,
    UNITS,
    Forgery,
    about,
    each,
    edit,
    figure,
    put,
    raw,
    sooner,
    structure,
    unit_figures,
)

OWN = "^(u0,suspected),.*"  # the first line below the heading
TABLES: Mapping[str, Forgery] = {
    "a status that there is not": Forgery(figure("u0", "suspected", "hidden,,72,83,"), "line"),
    "a status of before": Forgery(figure("u0", "suspected", "suppressed,,,,"), "line"),
    "a status in capitals": Forgery(raw(UNITS, "interval", "INTERVAL"), "line"),
    "a status with a space": Forgery(raw(UNITS, "interval", "interval "), "line"),
    "a doubled line": Forgery(raw(UNITS, "^(u0,suspected,.*\n)", r"\1\1"), "line"),
    "a line left out": Forgery(raw(UNITS, "^u0,suspected,.*\n", ""), "line"),
    "lines in another order": Forgery(raw(UNITS, "^(u0,s.*\n)(u0,r.*\n)", r"\2\1"), "line"),
    "a row in two places": Forgery(raw(UNITS, r"((?:^u0.*\n){2})(u0.*\n)((?:^u1.*\n){3})", r"\1\3\2"), "line"),
    "more categories than there are": Forgery(
        put(CATEGORIES, HEAD + b"".join(b"N%d,verified,interval,,0,5,\n" % n for n in range(20_000))), "line"
    ),
    "a row of another name": Forgery(raw(CITY, "^city", "child"), "line"),
    "a row whose name steers the terminal": Forgery(raw(UNITS, "^u0,", "\x1b[2Ju0,"), "line"),
    "a row of another script": Forgery(raw(UNITS, "^u0,", "ｕ0,"), "line"),
    "a measure that there is not": Forgery(raw(UNITS, "^u0,suspected", "u0,names"), "line"),
    "a measure that steers the terminal": Forgery(raw(UNITS, "^u0,suspected", "u0,\x1b[2J"), "line"),
    "a column more": Forgery(raw(UNITS, "^(u0,suspected.*)", r"\1,a name"), "line"),
    "a column less": Forgery(raw(UNITS, "^(u0,suspected.*),", r"\1"), "line"),
    "a figure in quotes": Forgery(figure("u0", "suspected", 'interval,,"72",83,78'), "line"),
    "lines that end otherwise": Forgery(raw(UNITS, "^(u0,suspected.*)", "\\1\r"), "line"),
    "a table that breaks off": Forgery(raw(UNITS, r"\n\Z", ""), "line"),
    "another heading": Forgery(raw(UNITS, "value", "figure"), "line"),
    "the heading of before": Forgery(raw(UNITS, "^row.*", "row,measure,value,status"), "line"),
    "an empty table": Forgery(put(UNITS, b""), "line"),
    "a heading that breaks off": Forgery(put(UNITS, HEAD.strip()), "line"),
    "a heading alone": Forgery(put(UNITS, HEAD), "line"),
    "a mark before the table": Forgery(raw(UNITS, r"\A", "\ufeff"), "line"),
    "a table of another encoding": Forgery(raw(UNITS, "^u0", "\udcff"), "file"),
    **{
        f"a figure of {text!r}": Forgery(figure("u0", "suspected", f"interval,,{text},83,78"), "line")
        for text in ("072", "+72", " 72", "72.0", "7_2", "-72", "７２", "٧٢", "7e1", "1" * 10, "0x48", "七十二", "\x1b")
    },
}  # fmt: skip

FIGURES: Mapping[str, Forgery] = {
    "a value beside an interval": Forgery(figure("u0", "suspected", "interval,78,72,83,78"), "line"),
    "an interval without a least": Forgery(figure("u0", "suspected", "interval,,,83,78"), "line"),
    "an interval without a greatest": Forgery(figure("u0", "suspected", "interval,,72,,78"), "line"),
    "an interval that is turned round": Forgery(figure("u0", "suspected", "interval,,83,72,78"), "line"),
    "an interval of one value": Forgery(figure("u0", "suspected", "interval,,82,82,78"), "line"),
    "an exact figure without a value": Forgery(figure("u0", "suspected", "exact,,82,82,78"), "line"),
    "an exact figure with other ends": Forgery(figure("u0", "suspected", "exact,82,72,83,78"), "line"),
    "an exact figure that is not what the ends say": Forgery(figure("u0", "suspected", "exact,81,82,82,78"), "line"),
    "a rounded figure in a closing release": Forgery(figure("u0", "suspected", "rounded,78,73,83,78"), "line"),
    "a rounded figure that is no multiple": Forgery(figure("u0", "suspected", "interval,,72,83,79"), "line"),
    "a rounded figure by the step of another threshold": Forgery(
        sooner(figure("u0", "suspected", "rounded,80,75,85,80")), "line", "stack"
    ),
    "a rounded figure whose ends are nearer": Forgery(
        figure("u0", "suspected", "rounded,78,74,82,78"), "line", "pair"
    ),
    "a rounded figure with another value": Forgery(figure("u0", "suspected", "rounded,84,73,83,78"), "line", "pair"),
    "a rounded figure without a rounding": Forgery(figure("u0", "suspected", "rounded,78,73,83,"), "line", "pair"),
    "an interval that is too narrow": Forgery(figure("u4", "returned", "interval,,0,3,0"), "fits"),
    "an interval that holds none of the examples": Forgery(figure("u4", "still_out", "interval,,12,17,12"), "fits"),
    "an interval that is too wide": Forgery(figure("u3", "still_out", "interval,,0,11,"), "end"),
    "a rounded figure far from its interval": Forgery(figure("u0", "suspected", "interval,,72,83,90"), "fits"),
    "a rounded figure that no interval meets": Forgery(figure("u0", "suspected", "interval,,72,83,120"), "fits"),
    "an exact small count": Forgery(figure("u4", "returned", "exact,3,3,3,0"), "fits"),
    "an exact zero": Forgery(figure("u4", "returned", "exact,0,0,0,0"), "fits"),
    "an exact figure beside an interval": Forgery(figure("u4", "still_out", "exact,6,6,6,6"), "fits"),
    "a figure one more": Forgery(figure("I", "verified", "exact,18,18,18,18", CATEGORIES), "fits"),
    "one figure not due": Forgery(figure("u0", "suspected", "not_due,,,,"), "line"),
    "one figure due": Forgery(figure("u5", "returned", "interval,,0,5,"), "line"),
    "a figure not due with a number": Forgery(figure("u5", "suspected", "not_due,12,,,"), "line"),
    "a figure not due with a rounding": Forgery(figure("u5", "suspected", "not_due,,,,12"), "line"),
    "the city not due": Forgery(
        each(*(figure("city", name, "not_due,,,,", CITY)
               for name in ("suspected", "verified", "deducted", "to_return", "returned", "still_out"))),
        "line",
    ),
    "a category not due": Forgery(figure("A", "verified", "not_due,,,,", CATEGORIES), "line"),
    "who has not reported shown as done": Forgery(unit_figures("u5", "interval,,0,12,"), "fits"),
    "who has reported shown as not": Forgery(unit_figures("u0", "not_due,,,,"), "fits"),
    "a listed total that is known withheld": Forgery(figure("city", "suspected", "interval,,300,400,", CITY), "end"),
    "sensitive categories by the step of others": Forgery(about(category_k=dict.fromkeys("ABCDEFGHIJKLM", 10)), "line"),
    "a table without the measure of its figures": Forgery(
        edit(ABOUT, lambda data: data["tables"][1].update(measures=["suspected", "returned"])), "line"
    ),
    "categories by the letters of others": Forgery(
        structure(lambda data: data["categories"].update(to_return=["N", *data["categories"]["to_return"][1:]])), "line"
    ),
}  # fmt: skip
