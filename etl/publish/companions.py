"""What stands beside the pages for programs, read again as such a program would: feed, JSON-LD, CSV on the Web."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from etl.publish.downloads import CSVW
from etl.publish.markup import Fault, Parsed
from etl.system.dates import parse_date

_ATOM = "{http://www.w3.org/2005/Atom}"


def feed_faults(path: Path, releases: int) -> Iterator[Fault]:
    """Faults of the Atom feed of so many releases: no XML, names that are no URN or not unique, missing pages."""
    try:
        feed = ElementTree.fromstring(path.read_bytes())  # noqa: S314 - our own file, just made
    except ElementTree.ParseError as error:
        yield "feed", str(error)
        return
    entries = feed.findall(f"{_ATOM}entry")
    if feed.tag != f"{_ATOM}feed" or len(entries) != releases:
        yield "feed", f"{len(entries)} entries"
    names = [one.findtext(f"{_ATOM}id", "") for one in (feed, *entries)]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", name) for name in names):
        yield "feed", "id"
    self_link = next((one.attrib["href"] for one in feed.findall(f"{_ATOM}link") if one.attrib["rel"] == "self"), "")
    base = self_link.removesuffix(path.name)
    for link in (one.attrib["href"] for one in feed.iter(f"{_ATOM}link") if one.attrib["rel"] == "alternate"):
        if not link.startswith(base) or not (path.parent / link.removeprefix(base)).is_file():
            yield "link", link


def linked_data_faults(site: Path, page: Parsed, base: str) -> Iterator[Fault]:
    """Faults of a page's JSON-LD: not a Dataset, or files that are missing or of another size.

    `base` is the site's address, with which the links begin; empty if they are relative to the page.
    """
    scripts = (one for one in page.root.iter("script") if one.attrib.get("type") == "application/ld+json")
    for script in scripts:
        try:
            about = json.loads("".join(script.itertext()))
            kinds = (about["@context"], about["@type"], *(one["@type"] for one in about["distribution"]))
            if set(kinds) != {"https://schema.org", "Dataset", "DataDownload"}:
                yield "json-ld", "@type"
            for one in about["distribution"]:
                address = one["contentUrl"]
                file = site / address.removeprefix(base) if base else page.path.parent / address
                if not file.is_file() or one["contentSize"] != f"{file.stat().st_size} B":
                    yield "json-ld", one["contentUrl"]
        except (ValueError, KeyError, TypeError) as error:
            yield "json-ld", type(error).__name__


def csv_metadata_faults(folder: Path) -> Iterator[Fault]:
    """Faults of a release's `CSVW`: other files or columns than there are, values of another type."""
    about = json.loads((folder / CSVW).read_bytes())
    tables = {one["url"]: one["tableSchema"]["columns"] for one in about["tables"]}
    if tables.keys() != {path.name for path in folder.glob("*.csv")}:
        yield "csvw", CSVW
        return
    for name, columns in tables.items():
        rows = csv.reader(io.StringIO((folder / name).read_text(encoding="utf-8"), newline=""))
        if next(rows) != [column["titles"] for column in columns]:
            yield "csvw", name
            continue
        wrong = {
            column["name"] for row in rows for column, text in zip(columns, row, strict=True) if not _fits(column, text)
        }
        yield from (("csvw", f"{name}: {column}") for column in sorted(wrong))


def _fits(column: Mapping[str, Any], text: str) -> bool:
    """Whether a cell's text is of its column's type; numbers that are required nowhere may be empty."""
    if not text:
        return not column["required"]
    kind: Any = column["datatype"]
    base = kind if isinstance(kind, str) else kind["base"]
    is_number = bool(re.fullmatch("-?[0-9]+", text))
    if column["name"] in ("value", "low", "high", "rounded") and base != "integer":
        return False
    if base == "integer":
        return is_number and int(text) >= kind["minimum"]
    if base == "date":
        return _is_day(text)
    return isinstance(kind, str) or re.fullmatch(kind["format"], text) is not None


def _is_day(text: str) -> bool:
    try:
        return bool(parse_date(text))
    except ValueError:
        return False
