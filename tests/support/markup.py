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
#: What a cell without a figure says, in both languages.
WITHHELD = ("※因人数少未公布", "※not published, few children")
WAITING = ("尚未报送", "Not yet reported")
ROUNDED = ("约 {n}±{k}", "about {n}±{k}")


def faults(
    site: Path, path: Path, published: Mapping[str, Cell], slack: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Every fault of one page; `published` are the newest figures, `slack` how far a rounded one may be off."""
    text = path.read_text(encoding="utf-8")
    page = Reader(path)
    yield from _parsed(text)
    yield from _required(page, "en" if path.relative_to(site).parts[0] == "en" else "zh-CN")
    yield from _links(site, path, page)
    yield from _figures(page, published, slack)
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


def _figures(page: Reader, published: Mapping[str, Cell], slack: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for name, places in page.cells.items():
        cell = published[name]
        for status, text in places:
            if status != cell.status.value:
                yield "status", name
            if text not in _written(cell, slack.get(name, 0)):
                yield "figure", f"{name} {text}"


def _written(cell: Cell, slack: int) -> tuple[str, ...]:
    if cell.status is Status.SUPPRESSED:
        return WITHHELD
    if cell.status is Status.NOT_DUE:
        return WAITING
    number = f"{cell.value:,}"
    return tuple(way.format(n=number, k=slack) for way in ROUNDED) if cell.status is Status.ROUNDED else (number,)


def _drawn(text: str) -> Iterator[tuple[str, str]]:
    """A withheld figure is hatched in full and nothing else; one that is not due has no bar."""
    cells = re.findall(r'<td[^>]*data-status="(suppressed|not_due)">(.*?)</td>', text, re.S)
    lines = re.findall(r'<div class="line [^>]*>(.*?)</div>', text, re.S)
    lines = [re.findall(r'data-status="(suppressed|not_due)">(.*)', line, re.S) for line in lines]
    for status, inside in [*cells, *(one for line in lines for one in line)]:
        shapes = re.findall(r'<rect class="([^"]*)" width="([^"]*)"', inside)
        if shapes not in ([], [("hatch", "100%")]) or ("bar" in inside and status == "not_due"):
            yield "drawn", f"{status} {shapes}"
