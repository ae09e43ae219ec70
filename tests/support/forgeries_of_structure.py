"""Forgeries of how the figures hang together: units, areas, sums, categories, and which tables there are."""

from collections.abc import Mapping

from tests.support.forging import ABOUT, Forgery, about, areas, edit, nested, structure, table_less, table_too

STRUCTURES: Mapping[str, Forgery] = {
    "sums of sums without end": Forgery(structure(nested), "entry"),
    "sums in a circle": Forgery(structure(lambda data: data["sums"].update(a=["b"], b=["a"])), "entry"),
    "a sum of itself": Forgery(structure(lambda data: data["sums"].update(a=["a"])), "entry"),
    "a sum of nothing": Forgery(structure(lambda data: data["sums"].update(a=[])), "entry"),
    "a sum with a state twice": Forgery(
        structure(lambda data: data["sums"].update(a=["to_return", "returned"])), "entry"
    ),
    "a sum in the place of a state": Forgery(
        structure(lambda data: data["sums"].update(returned=["returned"])), "entry"
    ),
    "a sum that means something else": Forgery(
        structure(lambda data: data["sums"].update(to_return=["returned", "unverified"])), "entry"
    ),
    "a sum that is not there": Forgery(structure(lambda data: data["sums"].pop("to_return")), "entry"),
    "a fifth state": Forgery(structure(lambda data: data["states"].append("gone")), "entry"),
    "a state twice": Forgery(structure(lambda data: data["states"].append("returned")), "entry"),
    "sums as a list": Forgery(structure(lambda data: data.update(sums=[])), "file"),
    "a unit twice": Forgery(structure(lambda data: data["units"].append("u0")), "entry"),
    "a unit called city": Forgery(structure(lambda data: data["units"].append("city")), "entry"),
    "a unit called like a category": Forgery(structure(lambda data: data["units"].append("A")), "entry"),
    "a unit that steers the terminal": Forgery(structure(lambda data: data["units"].append("\x1b[1m")), "entry"),
    "a unit more": Forgery(structure(lambda data: data["units"].append("u6")), "entry"),
    "a unit less": Forgery(structure(lambda data: data["units"].pop()), "entry"),
    "a unit more, of the city too": Forgery(
        structure(lambda data: (data["units"].append("u6"), data["areas"]["city"].append("u6"))), "line"
    ),
    "no areas": Forgery(structure(lambda data: data.update(areas={})), "entry"),
    "no city": Forgery(areas(city=None, town=[f"u{n}" for n in range(6)]), "entry"),
    "a unit that is in no area": Forgery(areas(city=[f"u{n}" for n in range(5)]), "entry"),
    "a unit in two areas": Forgery(areas(city=["north", *(f"u{n}" for n in range(6))], north=["u0"]), "entry"),
    "a part that there is not": Forgery(areas(city=[f"u{n}" for n in range(7)]), "entry"),
    "an area of nothing": Forgery(areas(north=[]), "entry"),
    "an area in itself": Forgery(areas(north=["north"]), "entry"),
    "areas in a circle": Forgery(
        areas(city=["north", *(f"u{n}" for n in range(1, 6))], north=["south"], south=["north", "u0"]), "entry"
    ),
    "the city in itself": Forgery(areas(city=["city", *(f"u{n}" for n in range(6))]), "entry"),
    "an area that is a unit": Forgery(areas(u0=["u1"]), "entry"),
    "an area called like a category": Forgery(
        areas(city=["A", *(f"u{n}" for n in range(1, 6))], A=["u0"]), "entry"
    ),
    "an area beside the city": Forgery(areas(north=["u0", "u1"]), "entry"),
    "areas as a list": Forgery(structure(lambda data: data.update(areas=["city"])), "file"),
    "a table of areas where there are none": Forgery(
        edit(ABOUT, lambda data: data["tables"][1].update(rows="area")), "entry"
    ),
    "too many units": Forgery(structure(lambda data: data["units"].extend(f"v{n}" for n in range(5000))), "entry"),
    "a category of both sums": Forgery(structure(lambda data: data["categories"]["to_return"].append("A")), "entry"),
    "a category more": Forgery(
        structure(lambda data: data["categories"]["to_return"].append("N")), "line"
    ),
    "a category less": Forgery(
        structure(lambda data: data["categories"]["to_return"].pop()), "line"
    ),
    "a category that changes sides": Forgery(
        structure(lambda data: data["categories"]["deducted"].append(data["categories"]["to_return"].pop(0))),
        "fits",
    ),
    "no categories of a sum": Forgery(structure(lambda data: data["categories"].pop("to_return")), "entry"),
    "categories of another sum": Forgery(structure(lambda data: data["categories"].update(verified=[])), "entry"),
    "one entry more in it": Forgery(structure(lambda data: data.update(note=[])), "entry"),
    "a second table of the units": Forgery(table_too, "entry"),
    "a table less": Forgery(table_less, "entry"),
    "a table that is not named": Forgery(edit(ABOUT, lambda data: data["tables"].pop()), "entry"),
    "a table twice": Forgery(
        edit(ABOUT, lambda data: data["tables"].__setitem__(2, data["tables"][1] | {"rows": "category"})), "entry"
    ),
    "a table of other rows": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(rows="child")), "entry"),
    "a table of a measure that there is not": Forgery(
        edit(ABOUT, lambda data: data["tables"][0]["measures"].append("names")), "entry"
    ),
    "a table with a measure twice": Forgery(
        edit(ABOUT, lambda data: data["tables"][0]["measures"].append("returned")), "entry"
    ),
    "a table of nothing": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(measures=[])), "line"),
    "categories by another measure": Forgery(
        edit(ABOUT, lambda data: data["tables"][2].update(measures=["returned"])), "entry"
    ),
    "a title that steers the terminal": Forgery(
        edit(ABOUT, lambda data: data["tables"][0].update(title="\x1b[31m")), "entry"
    ),
    "no English title": Forgery(edit(ABOUT, lambda data: data["tables"][0].update(title_en="")), "entry"),
    "a table with a path": Forgery(
        edit(ABOUT, lambda data: data["tables"][0].update(key="../city")), "entry"
    ),
    "tables as an object": Forgery(about(tables={}), "entry"),
}  # fmt: skip
