"""Eleventy's own way for `python -m bench site`: the figures as its data, our templates in its Nunjucks.

Nunjucks is Jinja in JavaScript; what it writes otherwise is put so here. That its pages are ours is compared by the
bench, text by text. Messages, names and figures are handed over as JSON: bars and shares are worked out already.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from etl.publish import pages
from etl.publish.charts import ShownFigure
from etl.publish.languages import Words
from etl.publish.offer import Offer
from etl.publish.site_identity import Identity
from etl.publish.source import Source
from etl.rulebook.campaign import Campaign

TEMPLATES = ("base.html", "unit.html", "macros.html", "figures.html", "shell.html")
CONFIG = """const { messages, globals } = require('./shared.json');
const months = 'January February March April May June July August September October November December'.split(' ');
function words(lang) {
  const t = (key, given = {}) => {
    const text = messages[lang][key];
    if (text === undefined) throw new Error(key);
    return text.replace(/\\{(\\w+)\\}/g, (_, name) => given[name]);
  };
  const parts = day => day.split('-').map(Number);
  return Object.assign(t, {
    lang, tag: { zh: 'zh-CN', en: 'en' }[lang], prefix: lang === 'zh' ? '' : 'en/',
    number: value => String(value).replace(/\\B(?=(\\d{3})+$)/g, ','),
    date: day => {
      const [y, m, d] = parts(day);
      return lang === 'zh' ? `${y}年${m}月${d}日` : `${d} ${months[m - 1]} ${y}`;
    },
    day: day => {
      const [, m, d] = parts(day);
      return lang === 'zh' ? `${m}月${d}日` : `${d} ${months[m - 1].slice(0, 3)}`;
    },
    of: (thing, field = 'name') => thing[lang === 'zh' ? field : `${field}_en`],
  });
}
module.exports = c => {
  c.setQuietMode(true);
  c.setNunjucksEnvironmentOptions({ trimBlocks: true, lstripBlocks: true, throwOnUndefined: true });
  const both = { zh: words('zh'), en: words('en') };
  c.addNunjucksGlobal('language', name => both[name]);
  for (const [name, value] of Object.entries(globals)) c.addNunjucksGlobal(name, value);
  return { dir: { input: 'content', includes: '../layouts', output: process.env.OUT } };
};
"""
PAGE = """---
pagination: { data: pages, size: 1, alias: one }
permalink: "{{ one.path }}"
---
"""
#: What our templates call by name stands in the page's data.
NAMES = ["unit", "before", "after", "ledger", "reported", "compared", "history", "measures"]
NAMES += ["top", "site", "translation"]
TAKEN = "{% set t = language(one.lang) %}{% set other = language(one.other) %}{% set page = one.at %}"
TAKEN += "".join(f"{{% set {name} = one.{name} %}}" for name in NAMES) + "\n"
#: Jinja → Nunjucks. Each must be met, or the bench no longer renders our templates.
CHANGES = (
    ("figures.html", r'symbols\(t, kinds=\(("exact".*?)\)\) %}', r"symbols(t, kinds=[\1]) %}"),
    ("figures.html", r'meanings\(t, kinds=\(("exact".*?)\)\) %}', r"meanings(t, kinds=[\1]) %}"),
    (
        "figures.html",
        r'( in kinds) if kind != "exact" %}(.*?){% endfor %}',
        r'\1 %}{% if kind != "exact" %}\2{% endif %}{% endfor %}',
    ),
    ("base.html", r"self\.title\(\)", "one.article"),
    ("unit.html", r'({% extends "base.html" %}\n)', r"\1" + TAKEN),
)


def write_eleventy(folder: Path, templates: Path, source: Source, words: tuple[Words, ...], identity: Identity) -> None:
    """A project that Eleventy builds: every unit's page in both languages."""
    (folder / "content/_data").mkdir(parents=True)
    (folder / "layouts").mkdir()
    for name in TEMPLATES:
        text = (templates / name).read_text(encoding="utf-8")
        for _, pattern, new in (change for change in CHANGES if change[0] == name):
            text, number = re.subn(pattern, new, text, count=1, flags=re.S)
            if not number:
                raise ValueError(f"{name}: {pattern}")
        target = folder / "layouts" / name
        if name == "unit.html":
            target = folder / "content/unit.njk"
            text = PAGE + text
        target.write_text(text, encoding="utf-8")
    all_pages = list(pages._pages(source, Offer((), (), 0)))
    menu = {
        name: [_page(page) for page in pages._named(all_pages, keys)]
        for name, keys in (("menu", pages.MENU), ("foot", pages.FOOT))
    }
    shared = {
        "messages": {t.lang: dict(t.messages) for t in words},
        "globals": {
            **menu,
            "campaign": _campaign(source.campaign),
            "release": _release(source.latest),
            "identity": {"fields": dict(identity.fields), "base": identity.base},
        },
    }
    (folder / "shared.json").write_text(json.dumps(shared, ensure_ascii=False), encoding="utf-8")
    (folder / "eleventy.config.cjs").write_text(CONFIG, encoding="utf-8")
    content = [one for page in pages._unit_pages(source) for one in _contexts(page, words)]
    (folder / "content/_data/pages.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _contexts(page: pages.Page, words: tuple[Words, ...]) -> Iterator[dict[str, Any]]:
    for t, other in zip(words, reversed(words), strict=True):
        site = page.up + "../" * t.prefix.count("/")
        yield {
            **{name: plain(value) for name, value in page.context.items()},
            "path": t.prefix + page.path,
            "lang": t.lang,
            "other": other.lang,
            "article": t("unit.title", unit=t.of(page.context["unit"])),
            "at": _page(page),
            "top": page.up,
            "site": site,
            "translation": f"{site}{other.prefix}{page.path}",
        }


def _page(page: pages.Page) -> dict[str, str]:
    return {"path": page.path, "section": page.section, "above": page.above}


def _release(release: Any) -> dict[str, Any]:
    return {"name": release.name, "as_of": release.as_of.isoformat(), "closing": release.closing}


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "title": campaign.title,
        "title_en": campaign.title_en,
        "notice": campaign.notice,
        "organiser": dict(campaign.organiser),
        "publication": {"k": campaign.publication.k},
    }


def plain(value: Any) -> Any:
    """As JSON: figures with what templates ask of them, of a release its name and day."""
    if isinstance(value, ShownFigure):
        return {name: getattr(value, name) for name in ("at", "status", "value", "low", "high", "slack")}
    if hasattr(value, "as_of"):
        return _release(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value
