"""The list of all pages, the data that each shows, and their rendering in both languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from etl.publish import views
from etl.publish.fragments import reuse_fragments
from etl.publish.languages import Words
from etl.publish.news import Note, notes
from etl.publish.offer import Offer
from etl.publish.package import COLUMNS, dataset
from etl.publish.reuse import Kept
from etl.publish.site_identity import Identity
from etl.publish.source import Source
from etl.publish.timeline import HEIGHT, timeline

#: Files that are copied unchanged to the site.
ASSETS = ("style.css", "tables.js", "ask.js")
#: The pages of the menu, in order, by section.
MENU = ("home", "units", "categories", "progress", "releases", "help", "method", "data")
#: The pages that the foot of each page links to, by section.
FOOT = ("about", "accessibility", "sitemap")
#: The section of the menu that a page belongs to, if it is not in the menu itself.
_ABOVE = {"unit": "units", "release": "releases", "sql": "data"}
#: The greatest number of releases in a feed and in a unit's own history.
FEED, HISTORY = 50, 12


@dataclass(frozen=True)
class Page:
    """A page in all languages: its template, its path below the language's folder, and the template's variables.

    `source` is the digest of all releases that it shows, if these never change; then an earlier rendering is reused.
    """

    template: str
    path: str
    context: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def up(self) -> str:
        """The relative path to the language's folder, such as ``../../``; empty at the top."""
        return "../" * self.path.count("/")

    @property
    def section(self) -> str:
        """The name of the template without its ending, which is also the key of its name in the menu."""
        return self.template.partition(".")[0]

    @property
    def above(self) -> str:
        """The section of the menu that the page belongs to."""
        return _ABOVE.get(self.section, self.section)


def write_pages(
    site: Path,
    templates: Path,
    source: Source,
    words: tuple[Words, ...],
    offer: Offer,
    identity: Identity,
    kept: Kept,
) -> int:
    """Render (or reuse) every page in every language below the folder `site`; return the number of pages."""
    site.mkdir(parents=True, exist_ok=True)
    for name in ASSETS:
        (site / name).write_bytes((templates / name).read_bytes())
    pages = list(_pages(source, offer))
    env = _environment(templates, source, identity, pages)
    for page in [*pages, Page("feed.xml", "feed.xml", {"notes": notes(source)[:FEED]})]:
        if page.source and kept.again(page.path, page.source):
            continue
        targets = _write(env, site, page, words)
        if page.source:
            kept.made(page.path, page.source, targets)
    return len(pages) * len(words)


def _write(env: jinja2.Environment, site: Path, page: Page, words: tuple[Words, ...]) -> list[Path]:
    """Render a page in every language; return the files written."""
    targets = [site / language.prefix / page.path for language in words]
    for target, language, other in zip(targets, words, reversed(words), strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_render(env, page, language, other), encoding="utf-8", newline="\n")
    return targets


def _named(pages: list[Page], sections: tuple[str, ...]) -> list[Page]:
    found = {page.section: page for page in pages}
    return [found[section] for section in sections]


def _environment(templates: Path, source: Source, identity: Identity, pages: list[Page]) -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        # A misspelt variable in a template must stop the run.
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    env.globals.update(source=source, campaign=source.campaign, release=source.latest, identity=identity)
    env.globals.update(menu=_named(pages, MENU), foot=_named(pages, FOOT), dataset=dataset)
    reuse_fragments(env)
    return env


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


def _pages(source: Source, offer: Offer) -> Iterator[Page]:
    """Every page in the order of the site map; the site map itself comes last."""
    pages = [*_figures(source), *_releases(source), *_texts(source, offer)]
    yield from pages
    yield Page("sitemap.html", "sitemap/index.html", {"pages": pages})


def _figures(source: Source) -> Iterator[Page]:
    city = views.table_of_kind(source.latest, "city")
    units = views.table_of_kind(source.latest, "unit")
    waiting = not all(views.has_reported(units, row) for row in units.rows)
    measures = units.measures
    first = {"ledger": views.ledger(source, city, city.rows[0]), "deadlines": views.deadlines(source)}
    yield Page("home.html", "index.html", {**first, "note": notes(source)[0], "waiting": waiting})
    table = {"groups": views.unit_groups(source), "measures": measures, "areas": views.area_rows(source)}
    yield Page("units.html", "units/index.html", table)
    yield from _unit_pages(source)
    yield Page("categories.html", "categories/index.html", {"groups": views.category_groups(source)})
    whole = {"drawn": timeline(source), "height": HEIGHT, "measures": city.measures}
    history = views.figures_over_time(source, "city", city.rows[0], len(source.releases))
    yield Page("progress.html", "progress/index.html", {**whole, "history": history, "notes": notes(source)[::-1]})


def _unit_pages(source: Source) -> Iterator[Page]:
    table = views.table_of_kind(source.latest, "unit")
    units = [source.campaign.unit[row] for row in table.rows]
    for before, unit, after in zip([None, *units], units, [*units[1:], None], strict=False):
        yield Page(
            "unit.html",
            f"units/{unit.slug}/index.html",
            {
                "unit": unit,
                "before": before,
                "after": after,
                "ledger": views.ledger(source, table, unit.slug),
                "reported": views.has_reported(table, unit.slug),
                "compared": tuple(views.city_shares(source, unit.slug)),
                "history": views.figures_over_time(source, "unit", unit.slug, HISTORY),
                "measures": table.measures,
            },
        )


def _releases(source: Source) -> Iterator[Page]:
    all_notes = notes(source)
    yield Page("releases.html", "releases/index.html", {"notes": all_notes})
    yield from (_release(note) for note in all_notes)


def _release(note: Note) -> Page:
    """The page of a release. It shows only this release and those before it, so it never changes."""
    name = note.release.name
    context = {"note": note, "release": note.release}
    return Page("release.html", f"releases/{name}/index.html", context, note.source.prints[name])


def _texts(source: Source, offer: Offer) -> Iterator[Page]:
    yield Page("help.html", "help/index.html")
    city = views.table_of_kind(source.latest, "city")
    yield Page("method.html", "method/index.html", {"city": city})
    yield Page("data.html", "data/index.html", {"files": offer.files, "columns": COLUMNS})
    yield Page("sql.html", "sql/index.html", {"questions": offer.questions, "engine": offer.engine})
    yield Page("about.html", "about/index.html")
    yield Page("accessibility.html", "accessibility/index.html")
