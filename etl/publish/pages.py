"""The pages: which there are, what each is given, and how they are rendered in both languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from etl.publish import views
from etl.publish.downloads import COLUMNS, RANGE_COLUMNS, Download
from etl.publish.source import Source
from etl.publish.words import Words

STYLE = "style.css"


@dataclass(frozen=True)
class Page:
    """A page in every language: its template, its address below the language's folder, what the template is given."""

    template: str
    path: str
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def up(self) -> str:
        """From this page to its language's folder, such as ``../../``; empty at the top."""
        return "../" * self.path.count("/")


def write_pages(site: Path, templates: Path, source: Source, words: tuple[Words, ...], files: list[Download]) -> int:
    """Render every page in every language below `site`, and give their number."""
    site.mkdir(parents=True, exist_ok=True)
    (site / STYLE).write_bytes((templates / STYLE).read_bytes())
    env = _environment(templates)
    env.globals.update(source=source, campaign=source.campaign, release=source.latest)
    number = 0
    for page in _pages(source, files):
        for language in words:
            other = next(w for w in words if w is not language)
            target = site / language.prefix / page.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_render(env, page, language, other), encoding="utf-8", newline="\n")
            number += 1
    return number


def _environment(templates: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        # A name that a template misspells must stop the run, not print nothing.
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(env: jinja2.Environment, page: Page, t: Words, other: Words) -> str:
    to_site = page.up + "../" * t.prefix.count("/")
    return env.get_template(page.template).render(
        page.context,
        t=t,
        other=other,
        page=page,
        top=page.up,
        site=to_site,
        translation=f"{to_site}{other.prefix}{page.path}",
    )


def _pages(source: Source, files: list[Download]) -> Iterator[Page]:
    city = views.table_of(source.latest, "city")
    units = views.table_of(source.latest, "unit")
    yield Page(
        "home.html",
        "index.html",
        {
            "ledger": views.ledger(source.campaign, city, city.rows[0]),
            "deadlines": views.deadlines(source),
            "categories": views.category_groups(source),
            "units": views.unit_groups(source),
            "measures": units.measures,
            "waiting": not all(views.reported(units, row) for row in units.rows),
        },
    )
    yield from _unit_pages(source)
    yield Page("method.html", "method/index.html", {"ranges": tuple(views.ranges(source)), "city": city})
    columns = {"table": (*COLUMNS, "value", "status"), "range": RANGE_COLUMNS}
    yield Page("data.html", "data/index.html", {"files": files, "columns": columns})


def _unit_pages(source: Source) -> Iterator[Page]:
    table = views.table_of(source.latest, "unit")
    units = [source.campaign.unit[row] for row in table.rows]
    for before, unit, after in zip([None, *units], units, [*units[1:], None], strict=False):
        yield Page(
            "unit.html",
            f"units/{unit.slug}/index.html",
            {
                "unit": unit,
                "before": before,
                "after": after,
                "ledger": views.ledger(source.campaign, table, unit.slug),
                "reported": views.reported(table, unit.slug),
                "compared": tuple(views.city_shares(source, unit.slug)),
            },
        )
