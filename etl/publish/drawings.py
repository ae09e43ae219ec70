"""What a page draws and reckons of figures, read again: bars, small multiples, the drawing over time, shares."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from etl.publish.charts import FAMILIES, THINNEST, ShownFigure
from etl.publish.markup import Fault, Parsed

#: The shapes of a chart, by status, besides the track and the solid bar that every chart may have.
_SHAPES = {"exact": set[str](), "interval": {"hatch"}, "rounded": {"band", "middle"}}
#: The shapes that reach as far as a figure may.
_BARS = ("fill", "hatch", "band")
#: Figures by their address on the pages.
_Figures = Mapping[str, ShownFigure]


def drawing_faults(page: Parsed, figures: _Figures) -> Iterator[Fault]:
    """Bars, marks and shares that differ from the figures that they name."""
    charts = [(name, element) for name, _, _, element in page.figures() if name in figures]
    for group in (charts, [(one.attrib["data-bar"], one) for one in page.root.iter() if "data-bar" in one.attrib]):
        yield from (("drawn", what) for what in _bar_faults(group, figures))
    yield from (("drawn", what) for what in _mark_faults(page.root, figures))
    for one in page.root.iter():
        if "data-share" in one.attrib:
            part, whole = (figures[name] for name in one.attrib["data-share"].split())
            text = re.search(r"[0-9.–]+%", "".join(one.itertext()))
            if text is None or not _is_share(text[0], part, whole):
                yield "share", one.attrib["data-share"]


def _bar_faults(charts: Sequence[tuple[str, Element]], figures: _Figures) -> Iterator[str]:
    """Faults of charts, each with the address of its figure; those of one table and family share a scale."""
    bars: dict[object, list[tuple[str, int, int]]] = defaultdict(list)
    for name, element in charts:
        yield from (f"{name}: {what}" for what in _drawn(figures[name], element))
        table, _, measure = name.split(".")
        ends = [sum(_along(shape)) for kind, shape in _shapes(element).items() if kind in _BARS]
        if ends:
            family = next((names for names in FAMILIES if measure in names), measure)
            bars[table, family].append((name, figures[name].high or 0, max(ends)))
    yield from (f"{name}: of another scale" for same in bars.values() for name in _unlike(same))


def _is_share(text: str, part: ShownFigure, whole: ShownFigure) -> bool:
    """Whether a percentage is right: to a tenth for exact figures, otherwise a band that holds all that may be."""
    if not whole.low or not whole.high or part.low is None or part.high is None:
        return False
    least, most = (
        min(Fraction(100 * a, b), Fraction(100)) for a, b in ((part.low, whole.high), (part.high, whole.low))
    )
    low, _, high = text.rstrip("%").partition("–")
    if part.low == part.high and whole.low == whole.high:
        is_whole = least in (0, 100)
        return not high and (Fraction(low) == least if is_whole else abs(Fraction(low) - least) <= Fraction(1, 20)
                             or (low in ("0.1", "99.9") and abs(Fraction(low) - least) < Fraction(1, 10)))  # fmt: skip
    return Fraction(low) <= least < Fraction(low) + 1 and Fraction(high or low) - 1 < most <= Fraction(high or low)


def _mark_faults(root: Element, figures: _Figures) -> Iterator[str]:
    """Marks of the drawing over time that are not where the lines of their frame say; pixels are whole."""
    for frame in root.iter():
        rules = [one for one in frame if one.attrib.get("class") == "rule"]
        if not rules:
            continue
        texts = [one for one in frame if one.attrib.get("class") == "people"]
        people = [int(re.sub(r"\D", "", "".join(one.itertext()))) for one in texts]
        (zero, top), most = ((float(rules[at].attrib["y1"]) for at in (0, -1)), people[-1])
        for rule, number in zip(rules, people, strict=True):
            if people[0] or abs(float(rule.attrib["y1"]) - zero + (zero - top) * number / most) > 1:
                yield f"line of {number}"
        for one in (one for one in frame.iter() if "data-mark" in one.attrib):
            figure = figures[one.attrib["data-mark"]]
            ends = [zero - (zero - top) * (number or 0) / most for number in (figure.high, figure.low, figure.value)]
            if not _is_marked(one, figure, ends):
                yield figure.at


def _is_marked(one: Element, figure: ShownFigure, ends: Sequence[float]) -> bool:
    """Whether a mark stands at its figure, or from its greatest to its least count; `ends` are those in pixels."""
    highest, lowest, middle = ends
    kind = one.attrib["class"].partition(" ")[0]
    if kind == "sign":
        at = float(one.attrib["cy"]) if "cy" in one.attrib else float(one.attrib["y"]) + 4
        return figure.value is not None and abs(at - middle) <= 1
    if kind == "reach":
        return max(abs(float(one.attrib["y1"]) - highest), abs(float(one.attrib["y2"]) - lowest)) <= 1
    start, height = float(one.attrib["y"]), float(one.attrib["height"])
    is_long = lowest - highest > height + 1  # pixels are whole
    return figure.value is None and not is_long and start - 1 <= highest and start + height >= lowest - 1


def _unlike(bars: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    """Which of the bars that share a scale are longer or shorter than the longest allows: (name, people, end)."""
    _, most, longest = max(bars, key=lambda bar: bar[1])
    for name, people, end in bars:
        # Very short ones are longer, so that they can be seen; each end is rounded to a hundredth of a percent.
        if most and abs(end - people * longest / most) > 2 and not (end == THINNEST >= people * longest / most - 2):
            yield name


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
