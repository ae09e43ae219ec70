"""Descriptions of the open data: a Data Package, CSVW, a README, and a schema.org Dataset for search engines."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from etl.exchange.release import Release, Status
from etl.publish.languages import Words
from etl.publish.site_identity import Identity
from etl.publish.source import Source

_NAMED = ("row", "row_name", "row_name_en", "measure", "measure_name", "measure_name_en")
#: The columns that hold a number, which may be empty.
NUMBERS = ("value", "low", "high", "rounded")
#: The columns of every CSV file.
COLUMNS = ("release", "as_of", *_NAMED, "status", *NUMBERS)
_TYPES = {"as_of": "date", **dict.fromkeys(NUMBERS, "integer")}
MEDIA = {"csv": "text/csv", "zip": "application/zip", "db": "application/vnd.sqlite3"}


@dataclass(frozen=True)
class Download:
    """A file that the data page offers: its path relative to the site, bytes, and lines without the heading.

    `excel` is the path of the same file for Excel, if it has one.
    """

    path: str
    size: int
    lines: int
    excel: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rsplit("/", 1)[1]


def resources(release: Release) -> dict[str, tuple[str, ...]]:
    """The columns of each CSV file of a release, by file name."""
    return {f"{table.key}.csv": COLUMNS for table in release.tables}


def descriptor(source: Source, release: Release, words: tuple[Words, ...], files: Mapping[str, bytes]) -> bytes:
    """``datapackage.json`` (Data Package version 1) of a release; `files` are its CSVs by name."""
    campaign, licence = source.campaign, source.campaign.licence
    about = {
        "profile": "tabular-data-package",
        "name": f"{campaign.id.lower()}-{release.name}",
        "title": campaign.title,
        "description": _both(words, "package.description"),
        "version": release.name,
        "created": f"{release.as_of}T00:00:00+08:00",
        "licenses": [{"name": licence.name, "title": f"{licence.title} / {licence.title_en}", "path": licence.url}],
        "contributors": [{"title": campaign.organiser["name"], "role": "publisher"}],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": name.removesuffix(".csv"),
                "path": name,
                "title": _title(release, name),
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(files[name]),
                "hash": f"sha256:{hashlib.sha256(files[name]).hexdigest()}",
                "dialect": {"lineTerminator": "\r\n", "doubleQuote": True, "header": True},
                "schema": {
                    "fields": [_field(words, column) for column in columns],
                    "missingValues": [""],
                    "primaryKey": ["release", "row", "measure"],
                },
            }
            for name, columns in resources(release).items()
        ],
    }
    return (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode()


def _field(words: tuple[Words, ...], column: str) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column in NUMBERS else {"required": True}
    if column == "status":
        constraints["enum"] = [status.value for status in Status]
    if _TYPES.get(column) == "integer":
        constraints["minimum"] = 0
    return {
        "name": column,
        "type": _TYPES.get(column, "string"),
        "description": _both(words, f"data.column.{column}"),
        "constraints": constraints,
    }


def csv_on_the_web(source: Source, release: Release, words: tuple[Words, ...]) -> bytes:
    """``csv-metadata.json`` of a release's CSV files (W3C, Metadata Vocabulary for Tabular Data, 2015).

    Beside the files it is where readers of CSV on the Web look for it; a column's titles are its heading.
    """
    campaign = source.campaign
    schema = {
        "columns": [_column(words, column) for column in COLUMNS],
        "primaryKey": ["release", "row", "measure"],
    }
    about = {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": {"zh-CN": campaign.title, "en": campaign.title_en},
        "dc:license": {"@id": campaign.licence.url},
        "dc:publisher": campaign.organiser["name"],
        "dc:modified": {"@value": release.as_of.isoformat(), "@type": "xsd:date"},
        "tables": [
            {
                "url": f"{table.key}.csv",
                "dc:title": {"zh-CN": table.title, "en": table.title_en},
                "tableSchema": schema,
            }
            for table in release.tables
        ],
    }
    return (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode()


def _column(words: tuple[Words, ...], column: str) -> dict[str, Any]:
    described = {t.tag: t(f"data.column.{column}") for t in words}
    datatype: Any = {"date": {"base": "date", "format": "yyyy-MM-dd"}}.get(_TYPES.get(column, ""), "string")
    if column in NUMBERS:
        datatype = {"base": "integer", "minimum": 0}
    elif column == "status":
        datatype = {"base": "string", "format": "|".join(status.value for status in Status)}
    return {
        "name": column,
        "titles": column,
        "dc:description": described,
        "datatype": datatype,
        "required": column not in NUMBERS,
    }


def _both(words: tuple[Words, ...], key: str) -> str:
    return " / ".join(t(key) for t in words)


def _title(release: Release, name: str) -> str:
    table = release.table(name.removesuffix(".csv"))
    return f"{table.title} / {table.title_en}"


def readme(source: Source, release: Release, words: tuple[Words, ...]) -> bytes:
    """``README.md`` of the package: in Chinese, then in English."""
    return "\n".join(line for t in words for line in _readme(source, release, t)).encode()


def _readme(source: Source, release: Release, t: Words) -> Iterator[str]:
    number, date = t("head.release", number=release.name), t.date(release.as_of)
    yield f"# {t.of(source.campaign, 'title')}\n"
    yield f"{t.of(source.campaign.organiser)} · {number} · {t('head.as_of', date=date)}\n"
    yield f"{t('package.description')}\n\n{t('data.symbols_text')}\n"
    yield from (f"- `{status.value}`: {t(f'data.status.{status.value}')}" for status in Status)
    yield f"\n## {t('data.files')}\n"
    for name in resources(release):
        yield f"- `{name}`: {t.of(release.table(name.removesuffix('.csv')), 'title')}"
    yield f"\n## {t('data.columns')}\n"
    yield from (f"- `{column}`: {t(f'data.column.{column}')}" for column in COLUMNS)
    licence = source.campaign.licence
    yield f"\n{t('data.licence')}: {t.of(licence, 'title')} ({licence.name}), {licence.url}"
    yield "\n" + t("package.proof") + "\n"


def dataset(source: Source, identity: Identity, t: Words, files: Sequence[Download]) -> Markup:
    """A schema.org Dataset of the newest release, as JSON that is safe within HTML.

    While the site's domain is not known, addresses are relative to the page.
    """
    campaign, base = source.campaign, identity.base or ("../" * (1 + t.prefix.count("/")))
    days = (min(campaign.noticed, source.releases[0].as_of), source.latest.as_of)
    printed = dict.fromkeys(measure for table in source.latest.tables for measure in table.measures)
    about = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": t.of(campaign, "title"),
        "description": t("package.description"),
        "inLanguage": ["zh-CN", "en"],
        "version": source.latest.name,
        "datePublished": source.latest.as_of.isoformat(),
        "temporalCoverage": "/".join(day.isoformat() for day in days),
        "spatialCoverage": {"@type": "Place", "name": t.of(campaign, "county")},
        "creator": {"@type": "GovernmentOrganization", "name": t.of(campaign.organiser)},
        "license": campaign.licence.url,
        "isAccessibleForFree": True,
        "measurementTechnique": f"{base}{t.prefix}method/index.html",
        "variableMeasured": [t(f"measure.{key}.name") for key in printed],
        "distribution": [
            {
                "@type": "DataDownload",
                "name": file.name,
                "contentUrl": f"{base}{file.path}",
                "encodingFormat": MEDIA[file.name.rsplit(".", 1)[1]],
                "contentSize": f"{file.size} B",
            }
            for file in files
        ],
    }
    return Markup(json.dumps(about, ensure_ascii=False).replace("<", "\\u003c"))
