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
#: The attributes that name a figure: of the newest release, of any release, or a sum of figures of the newest.
_NAMED = ("data-cell", "data-past", "data-sum")
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
        if one.tag == "th" and one.attrib.get("scope") not in ("col", "row", "colgroup", "rowgroup"):
            yield "scope", "".join(one.itertext()).strip()
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
    """Figures whose text or status differs from the releases; `figures` are those by address on the pages."""
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
