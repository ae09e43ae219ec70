"""Cell for cell: pages, bars, CSV files, database and release say the same, through all releases of a campaign."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from etl.publish.charts import FAMILIES, ShownFigure
from etl.publish.checks import figures_by_address
from etl.publish.languages import load_words
from etl.publish.markup import Parsed, parse, written
from tests.support.sample_release import TEMPLATES, query, read_csv
from tests.support.sample_releases import made_stack, stack

MOST = (2, 3)
NUMBERS = ("value", "low", "high", "rounded")


class Drawn(NamedTuple):
    """A bar in hundredths of a percent from its start: where its figure lies, the least and the most that it may be."""

    reach: int
    least: int
    most: int


@pytest.fixture(scope="module", params=MOST)
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    return made_stack(tmp_path_factory, request.param), request.param


def test_every_figure_is_the_same_in_release_database_csv_and_on_every_page(public: tuple[Path, int]) -> None:
    folder, most = public
    releases = stack()[:most]
    rows = query(folder, f"SELECT release, table_key, row, measure, status, {', '.join(NUMBERS)} FROM cell")
    database = {f"{r}/{table}.{row}.{measure}": tuple(rest) for r, table, row, measure, *rest in rows}
    csv = {
        f"{path.parent.name}/{path.stem}.{line['row']}.{line['measure']}": (
            line["status"],
            *(int(line[name]) if line[name] else None for name in NUMBERS),
        )
        for release in releases
        for path in sorted((folder / "site/data" / release.name).glob("*.csv"))
        for line in read_csv(path)
    }
    released = {f"{r.name}/{at}": one for r in releases for at, one in figures_by_address(r).items()}
    cells = {at: one.cell for at, one in released.items()}
    assert database == csv == {at: (c.status, c.value, c.low, c.high, c.rounded) for at, c in cells.items()}
    for t in load_words(TEMPLATES):
        shown = set()
        for path in (folder / "site" / t.prefix).rglob("*.html"):
            if (path.relative_to(folder / "site").parts[0] == "en") != (t.lang == "en"):
                continue
            for name, status, text, element in parse(path).figures():
                if "data-sum" in element.attrib:
                    continue
                at = name if "/" in name else f"{releases[-1].name}/{name}"
                assert (status, text) == (released[at].status, written(released[at], t)), (path, at)
                shown.add(at)
        assert {at for at in released if at.startswith(releases[-1].name)} <= shown


PAGES = ["units/index.html", "categories/index.html", "index.html", "units/fuzhoucheng/index.html"]


@pytest.mark.parametrize("page", PAGES)
def test_every_bar_is_as_long_as_its_figure_says(public: tuple[Path, int], page: str) -> None:
    folder, most = public
    figures = figures_by_address(stack()[most - 1])
    bars = drawn(parse(folder / "site" / page))
    assert bars
    families: dict[object, list[tuple[ShownFigure, Drawn]]] = defaultdict(list)
    for at, bar in bars.items():
        measure = at.rsplit(".", 1)[1]
        family = next((names for names in FAMILIES if measure in names), measure) if "units/index" in page else ""
        families[family].append((figures[at], bar))
    for pairs in families.values():
        longest, width = max((one.high or 0, bar.most) for one, bar in pairs)
        scale = longest / width  # people in a hundredth of a percent
        for one, bar in pairs:
            assert one.low is not None
            assert one.high is not None
            if bar.most - bar.least == 60 or (one.status == "exact" and bar.most == 60):
                assert (one.high - one.low or one.high) / scale <= 62  # longer than true, so that it can be seen
                continue
            ends = (one.low if one.value is None else one.value, one.low, one.high)
            for people, hundredths in zip(ends, bar, strict=True):
                assert abs(hundredths - people / scale) <= 2, (one, bar)


def test_figures_without_a_bar_are_those_that_have_none(public: tuple[Path, int]) -> None:
    folder, most = public
    figures = figures_by_address(stack()[most - 1])
    page = parse(folder / "site/units/index.html")
    bars = drawn(page)
    for name, _, _, element in page.figures():
        classes = [str(one.attrib.get("class", "")).partition(" ")[0] for one in element.iter()]
        assert ("hatch" in classes) == (figures[name].status == "interval")
        assert ("band" in classes) == (figures[name].status == "rounded")
        assert (name in bars) == bool(figures[name].high)


def drawn(page: Parsed) -> dict[str, Drawn]:
    """Every bar by the figure that it belongs to: the one in whose cell or whose line it stands."""
    found: dict[str, Drawn] = {}
    for element in page.root.iter():
        cells = [one.attrib["data-cell"] for one in element.iter() if "data-cell" in one.attrib]
        line = "line" in element.attrib.get("class", "").split() or element.tag == "tr"
        if len(cells) == 1 and (line or (element.tag == "td" and "data-cell" in element.attrib)):
            found |= _bar(cells[0], [*element.iter()])
    return found


def _bar(name: str, shapes: list[object]) -> dict[str, Drawn]:
    kinds = {}
    for shape in shapes:
        attributes = shape.attrib  # type: ignore[attr-defined]
        kind = attributes.get("class", "").partition(" ")[0]
        if kind in ("fill", "band", "middle", "hatch"):
            kinds[kind] = {key: _hundredths(value) for key, value in attributes.items() if value.endswith("%")}
    fill, middle = (kinds.get(kind) for kind in ("fill", "middle"))
    band = kinds.get("band", kinds.get("hatch"))
    if band is None:
        return {name: Drawn(*[fill["width"]] * 3)} if fill else {}
    start = fill.get("x", 0) if fill else band["x"]
    at = middle["x1"] if middle else band["x"]
    return {name: Drawn(at - start, band["x"] - start, band["x"] + band["width"] - start)}


def _hundredths(text: str) -> int:
    assert re.fullmatch(r"\d+(\.\d{1,2})?%", text)
    return round(float(text[:-1]) * 100)
