"""A page as text: everything that is wrong with it, by the name of the check that found it. Knows no browser."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import html5lib

from etl.exchange.release import Cell, Status
from tests.support.sample_release import Reader

METAS = {"SiteName", "SiteDomain", "SiteIDCode", "ColumnName", "ColumnType", "ArticleTitle", "PubDate", "ContentSource"}
#: What each kind of figure says, in both languages: what is seen, then what is only heard.
WAITING = ("尚未报送", "Not yet reported")
ROUNDED = ("约 {n}±{k}", "about {n}±{k}")
FEWER = ("少于{n}人少于{n}人，不给确切数", "fewer than {n}fewer than {n}, no exact number given")
INTERVAL = ("{low}–{high}{low} 到 {high} 之间，两端在内", "{low}–{high}from {low} to {high}, both included")
#: The shapes of a figure's chart, in their order.
SHAPES = {
    "exact": r"track( fill)?",
    "interval": r"track( fill)? hatch",
    "rounded": r"track( fill)? band middle",
    "not_due": r"",
}


def faults(site: Path, path: Path, published: Mapping[str, Cell]) -> Iterator[tuple[str, str]]:
    """Every fault of one page; `published` are the newest figures."""
    text = path.read_text(encoding="utf-8")
    page = Reader(path)
    yield from _parsed(text)
    yield from _required(page, "en" if path.relative_to(site).parts[0] == "en" else "zh-CN")
    yield from _links(site, path, page)
    yield from _figures(page, published)
    yield from _drawn(text)


def _parsed(text: str) -> Iterator[tuple[str, str]]:
    parser = html5lib.HTMLParser()
    parser.parse(text)
    for (line, _), error, _ in parser.errors:
        yield "html", f"{line} {error}"


def _required(page: Reader, language: str) -> Iterator[tuple[str, str]]:
    tags = Counter(tag for tag, _ in page.tags)
    first = {tag: attributes for tag, attributes in reversed(page.tags)}
    if first["html"].get("lang") != language:
        yield "lang", str(first["html"])
    for tag in ("h1", "main", "title", "footer"):
        if tags[tag] != 1:
            yield f"one {tag}", str(tags[tag])
    for identity, number in Counter(a["id"] for _, a in page.tags if "id" in a).items():
        if number > 1:
            yield "id", identity
    metas = {a.get("name", a.get("http-equiv", "")): a.get("content", "") for tag, a in page.tags if tag == "meta"}
    yield from (("meta", name) for name in sorted(METAS) if not metas.get(name))
    policy = metas.get("Content-Security-Policy", "")
    if not policy.startswith("default-src 'none'") or "unsafe-inline" in policy:
        yield "policy", policy
    for tag, attributes in page.tags:
        yield from _tag(tag, attributes)
    yield from _tables(page)


def _tag(tag: str, attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
    if tag == "style" or (
        tag == "script" and "src" not in attributes and attributes.get("type") != "application/ld+json"
    ):
        yield "inline", tag
    for name in attributes:
        if name == "style" or name.startswith("on"):
            yield "inline", name
    if tag == "th" and "scope" not in attributes:
        yield "scope", str(attributes)
    if tag == "svg" and attributes.get("class") == "bar" and attributes.get("aria-hidden") != "true":
        yield "picture", str(attributes)


def _tables(page: Reader) -> Iterator[tuple[str, str]]:
    """Every line of a table's body begins with a heading."""
    rows = [(tag, a) for tag, a in page.tags if tag in ("tbody", "thead", "tr", "th", "td")]
    inside = False
    for (tag, _), (following, _) in itertools.pairwise(rows):
        inside = {"tbody": True, "thead": False}.get(tag, inside)
        if inside and tag == "tr" and following != "th":
            yield "row heading", following


def _links(site: Path, path: Path, page: Reader) -> Iterator[tuple[str, str]]:
    for tag, attributes in page.tags:
        link = attributes.get("href", attributes.get("src"))
        if link is None or link.startswith("data:"):
            continue
        if re.match(r"[a-z]+:|/", link):
            yield "foreign", f"{tag} {link}"
            continue
        file, _, place = unquote(link).partition("#")
        target = (path.parent / file).resolve() if file else path.resolve()
        lost = not target.is_file() or not target.is_relative_to(site.resolve())
        if lost or (place and f'id="{place}"' not in target.read_text(encoding="utf-8")):
            yield "link", link


def _figures(page: Reader, published: Mapping[str, Cell]) -> Iterator[tuple[str, str]]:
    for name, places in page.cells.items():
        cell = published[name]
        for status, text in places:
            if status != cell.status.value:
                yield "status", name
            if text not in written(cell):
                yield "figure", f"{name} {text}"


def written(cell: Cell) -> tuple[str, ...]:
    """The text of a figure in both languages, with what is only heard."""
    if cell.low is None or cell.high is None:
        return WAITING
    if cell.status is Status.ROUNDED:
        assert cell.rounded is not None
        return tuple(way.format(n=f"{cell.rounded:,}", k=cell.high - cell.rounded) for way in ROUNDED)
    if cell.status is Status.INTERVAL:
        ways = INTERVAL if cell.low else FEWER
        return tuple(way.format(n=f"{cell.high + 1:,}", low=f"{cell.low:,}", high=f"{cell.high:,}") for way in ways)
    return (f"{cell.low:,}",)


def _drawn(text: str) -> Iterator[tuple[str, str]]:
    """Each kind of figure has its own shapes, and a solid bar is followed by its stretch without a gap."""
    cells = re.findall(r'<td[^>]*data-status="(\w+)"[^>]*>(.*?)</td>', text, re.S)
    lines = re.findall(r'<div class="line [^>]*>(.*?)</div>', text, re.S)
    lines = [re.findall(r'data-status="(\w+)">(.*)', line, re.S) for line in lines]
    for status, inside in [*cells, *(one for line in lines for one in line)]:
        shapes = re.findall(r'<(?:rect|line) class="(\w+)', inside)
        if shapes and not re.fullmatch(SHAPES[status], " ".join(shapes)):
            yield "drawn", f"{status} {shapes}"
        for start, width, begin in re.findall(
            r'"fill [^"]*"(?: x="([\d.]+)%")? width="([\d.]+)%" height="100%"/><rect class="\w+ \w+" x="([\d.]+)%"',
            inside,
        ):
            if abs(float(start or 0) + float(width) - float(begin)) > 0.001:
                yield "drawn", f"{status} {begin}"
