"""A page as a browser's parser sees it, and its faults: in the HTML, in its links, in the figures that it shows."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

import html5lib

from etl.publish.charts import FAMILIES, THINNEST, ShownFigure
from etl.publish.hosting import POLICY
from etl.publish.languages import Words

#: Attributes that fetch or send something; no page of ours may have one.
_FETCHED = {"srcset", "poster", "data", "action", "formaction", "background", "ping", "xlink:href"}
#: The attributes that name a figure: of the newest release, of any release, or a sum of figures of the newest.
_NAMED = ("data-cell", "data-past", "data-sum")
#: The shapes of a chart, by status, besides the track and the solid bar that every chart may have.
_SHAPES = {"exact": set[str](), "interval": {"hatch"}, "rounded": {"band", "middle"}}
#: The shapes that reach as far as a figure may.
_BARS = ("fill", "hatch", "band")
#: A fault: the check that found it, and a description.
Fault = tuple[str, str]


@dataclass(frozen=True)
class Parsed:
    """A parsed page: its path, its root element, and its parse errors as defined by the HTML standard."""

    path: Path
    root: Element
    errors: tuple[str, ...]

    @cached_property
    def ids(self) -> Counter[str]:
        """How often each id occurs."""
        return Counter(one.attrib["id"] for one in self.root.iter() if "id" in one.attrib)

    def figures(self) -> Iterator[tuple[str, str, str, Element]]:
        """Address, status, text and element of every figure; figures that share an element share its text."""
        for one in self.root.iter():
            for name in " ".join(one.attrib.get(kind, "") for kind in _NAMED).split():
                yield name, one.attrib.get("data-status", ""), "".join(one.itertext()).strip(), one


def parse(path: Path) -> Parsed:
    """Parse the page at `path`."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(path.read_text(encoding="utf-8"))
    return Parsed(path, root, tuple(f"{line}: {error}" for (line, _), error, _ in parser.errors))


def html_faults(page: Parsed) -> Iterator[Fault]:
    """Syntax errors, repeated ids, missing or repeated required elements, and what the content policy would block."""
    yield from (("html", error) for error in page.errors)
    yield from (("id", name) for name, number in page.ids.items() if number > 1)
    tags = Counter(one.tag for one in page.root.iter() if isinstance(one.tag, str))
    yield from (("once", f"{tag}: {tags[tag]}") for tag in ("title", "h1", "main") if tags[tag] != 1)
    if not page.root.attrib.get("lang"):
        yield "lang", ""
    policy = [one.attrib.get("content", "") for one in page.root.iter("meta") if "http-equiv" in one.attrib]
    if len(policy) != 1 or not _strict(policy[0]):
        yield "policy", " ".join(policy)
    for one in page.root.iter():
        if "style" in one.attrib or any(name.startswith("on") for name in one.attrib) or one.tag == "style":
            yield "inline", str(one.tag)
        if one.tag == "script" and "src" not in one.attrib and one.attrib.get("type") != "application/ld+json":
            yield "inline", "script"


def _strict(policy: str) -> bool:
    """Whether a page's policy forbids everything by default and allows nothing that `POLICY` does not allow."""
    parts = [part.split() for part in policy.split(";")]
    named = all(part and set(part[1:]) <= set(POLICY.get(part[0], "").split()) for part in parts)
    return named and ["default-src", "'none'"] in parts


def link_faults(site: Path, page: Parsed, pages: Mapping[Path, Parsed]) -> Iterator[Fault]:
    """Links that lead away from the site or nowhere; `pages` (by path) are needed for links to places within pages."""
    for one in page.root.iter():
        for name in sorted(_FETCHED & one.attrib.keys()):
            yield "foreign", f"{name}: {one.attrib[name]}"
        link = one.attrib.get("href", one.attrib.get("src"))
        if link is None or link.startswith("data:"):
            continue
        if re.match(r"[a-z]+:|[/\\]", link, re.I):
            # These give search engines the page's full address.
            if one.attrib.get("rel") not in ("canonical", "alternate"):
                yield "foreign", link
            continue
        file, _, place = unquote(link).partition("#")
        target = (page.path.parent / file).resolve() if file else page.path
        inside = target.is_file() and target.is_relative_to(site)
        if not inside or (place and (target not in pages or place not in pages[target].ids)):
            yield "link", link


def figure_faults(page: Parsed, figures: Mapping[str, ShownFigure], t: Words) -> Iterator[Fault]:
    """Figures whose text, status or drawing differs from the releases; `figures` are those by address on the pages."""
    bars: dict[object, list[tuple[str, int, int]]] = defaultdict(list)
    for name, status, text, element in page.figures():
        if name not in figures:
            yield "unknown", name
            continue
        if status != figures[name].status:
            yield "status", f"{name}: {status}"
        if text != written(figures[name], t):
            yield "figure", f"{name}: {text}"
        for end in ("low", "high"):
            if element.attrib.get(f"data-{end}", str(getattr(figures[name], end))) != str(getattr(figures[name], end)):
                yield "figure", f"{name}: {end} {element.attrib[f'data-{end}']}"
        yield from (("drawn", f"{name}: {what}") for what in _drawn(figures[name], element))
        table, _, measure = name.split(".")
        ends = [sum(_along(shape)) for kind, shape in _shapes(element).items() if kind in _BARS]
        if ends:
            family = next((names for names in FAMILIES if measure in names), measure)
            bars[table, family].append((name, figures[name].high or 0, max(ends)))
    yield from (("drawn", f"{name}: of another scale") for same in bars.values() for name in _unlike(same))


def _unlike(bars: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    """Which of the bars that share a scale are longer or shorter than the longest allows: (name, people, end)."""
    _, most, longest = max(bars, key=lambda bar: bar[1])
    for name, people, end in bars:
        # Very short ones are longer, so that they can be seen; each end is rounded to a hundredth of a percent.
        if most and abs(end - people * longest / most) > 2 and not (end == THINNEST >= people * longest / most - 2):
            yield name


def written(one: ShownFigure, t: Words) -> str:
    """The text of a figure on a page in the given language, with what only screen readers say."""
    if one.low is None or one.high is None:
        return t("status.not_due.name")
    low, high, above = (t.number(number) for number in (one.low, one.high, one.high + 1))
    if one.status == "interval" and one.low == 0:
        return t("status.fewer.value", n=above) + t("status.fewer.long", n=above)
    if one.status == "interval":
        return t("status.interval.value", low=low, high=high) + t("status.interval.long", low=low, high=high)
    number = t.number(one.value or 0)
    return t("status.rounded.value", n=number) + f"±{one.slack}" if one.status == "rounded" else number


def _drawn(one: ShownFigure, element: Element) -> Iterator[str]:
    """Faults of a chart: each status has its own shapes, the stretch begins where the bar ends, both are to scale."""
    shapes = _shapes(element)
    if not shapes:
        return
    if one.low is None or one.high is None:
        yield "a bar of nothing"
        return
    wanted = _SHAPES[one.status] | {"track"} | ({"fill"} if one.status == "exact" and one.low else set())
    if wanted - shapes.keys() or shapes.keys() - wanted - {"fill"} or ("fill" in shapes and not one.low):
        yield f"{one.status} as {' '.join(sorted(shapes))}"
        return
    stretch = shapes.get("hatch", shapes.get("band"))
    if stretch is not None:
        yield from _out_of_scale(one.low, one.high, shapes.get("fill"), stretch)


def _shapes(element: Element) -> dict[str, Element]:
    """The rectangles and lines of a chart by what they are: track, fill, hatch, band, middle."""
    found = (one for one in element.iter() if str(one.tag).rpartition("}")[2] in ("rect", "line"))
    return {one.attrib.get("class", "").partition(" ")[0]: one for one in found}


def _out_of_scale(low: int, high: int, fill: Element | None, stretch: Element) -> Iterator[str]:
    """Whether the stretch does not begin where the bar ends, or the two are not as long as `low` and `high` say."""
    left, width = _along(stretch)
    start, solid = _along(fill) if fill is not None else (left, 0)
    if left != start + solid:
        yield "a gap"
    # Each end is rounded to a hundredth of a percent; the shortest stretches are longer, so that they can be seen.
    if width != THINNEST and abs(solid * (high - low) - width * low) > 2 * high:
        yield "not to scale"


def _along(shape: Element) -> tuple[int, int]:
    """Start and width of a rectangle in hundredths of a percent."""
    start, width = (round(float(shape.attrib.get(name, "0%").rstrip("%")) * 100) for name in ("x", "width"))
    return start, width
