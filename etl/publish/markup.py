"""A page as a browser's parser sees it, and its faults: in the HTML, in its links, in the figures that it shows."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

import html5lib

from etl.publish.charts import ShownFigure
from etl.publish.hosting import POLICY
from etl.publish.languages import Words

#: Attributes that fetch or send something; no page of ours may have one.
_FETCHED = {"srcset", "poster", "data", "action", "formaction", "background", "ping", "xlink:href"}
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
            for name in one.attrib.get("data-cell", one.attrib.get("data-past", "")).split():
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
    for name, status, text, element in page.figures():
        if name not in figures:
            yield "unknown", name
            continue
        if status != figures[name].status:
            yield "status", f"{name}: {status}"
        if text != written(figures[name], t):
            yield "figure", f"{name}: {text}"
        yield from (("drawn", f"{name}: {what}") for what in _drawn(figures[name], element))


def written(one: ShownFigure, t: Words) -> str:
    """The text of a figure on a page in the given language."""
    if one.status == "suppressed":
        return t("status.mark") + t("status.suppressed.long")
    if one.value is None:
        return t("status.not_due.name")
    if one.status == "rounded":
        return t("status.rounded.value", n=t.number(one.value)) + f"±{one.slack}"
    return t.number(one.value)


def _drawn(one: ShownFigure, element: Element) -> Iterator[str]:
    """Faults of a chart: a withheld figure must be fully hatched, one not due has no bar, others are never hatched."""
    shapes = [rect for rect in element.iter() if str(rect.tag).endswith("rect")]
    kinds = {shape.attrib.get("class", "").partition(" ")[0] for shape in shapes}
    if one.status == "suppressed" and (kinds - {"hatch"} or any(s.attrib.get("width") != "100%" for s in shapes)):
        yield "not hatched alike"
    if one.status == "not_due" and shapes:
        yield "a bar of nothing"
    if one.value is not None and "hatch" in kinds:
        yield "hatched"
