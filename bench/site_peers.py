"""What Pelican and Eleventy are given for `python -m bench site`: the finished content of every page, and one layout.

They neither work figures out nor draw bars: each page's content is handed to them as HTML with its title, description
and addresses, and all that they do is what a site generator is for, to put it into the layout. That is less than ours.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAIN = re.compile(r'(<main id="content" class="wrap">\n)(.*?)(</main>)', re.S)
#: What differs from page to page outside its content.
BLANKS = ("title", "description", "translation", "article")
ELEVENTY = """module.exports = c => {
  c.setQuietMode(true);
  return { dir: { input: 'content', includes: '../layouts', output: process.env.OUT }, htmlTemplateEngine: false };
};
"""
PELICAN = """AUTHOR = SITENAME = 'x'
SITEURL = ''
PATH = 'content'
PAGE_PATHS = ['pages']
ARTICLE_PATHS = []
THEME = 'theme'
TIMEZONE = 'UTC'
DEFAULT_LANG = 'zh'
DIRECT_TEMPLATES = []
PAGE_URL = PAGE_SAVE_AS = '{slug}'
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
AUTHOR_SAVE_AS = CATEGORY_SAVE_AS = TAG_SAVE_AS = ''
STATIC_PATHS = []
PLUGINS = []
LOAD_CONTENT_CACHE = False
"""


@dataclass(frozen=True)
class Content:
    """A page of ours taken apart: its path, what fills the layout's blanks, its content."""

    path: str
    blanks: dict[str, str]
    body: str


def contents(site: Path) -> Iterator[Content]:
    """Every unit's page of a site, in both languages."""
    for path in sorted([*site.glob("units/*/index.html"), *site.glob("en/units/*/index.html")]):
        text = path.read_text(encoding="utf-8")
        found = MAIN.search(text)
        assert found
        yield Content(path.relative_to(site).as_posix(), _blanks(text), found[2])


def _blanks(text: str) -> dict[str, str]:
    patterns = (r"<title>(.*?)</title>", r'name="description" content="(.*?)"', r'class="language"><a href="(.*?)"')
    found = [html.unescape(re.search(pattern, text)[1]) for pattern in patterns]  # type: ignore[index]
    return dict(zip(BLANKS, [*found, found[0].rpartition(" – ")[0]], strict=True))


def layout(site: Path, language: str) -> str:
    """A unit's page of ours with blanks in the place of all that differs; the syntax of Jinja and Nunjucks is one."""
    text = next(iter(sorted((site / language / "units").glob("*/index.html")))).read_text(encoding="utf-8")
    blanks = _blanks(text)
    text = MAIN.sub(lambda match: f"{match[1]}[[content]]{match[3]}", text)
    for name in ("title", "description", "translation", "article"):
        text = text.replace(f">{html.escape(blanks[name])}<", f">[[{name}]]<")
        text = text.replace(f'"{html.escape(blanks[name])}"', f'"[[{name}]]"')
    return text.replace("[[", "{{ ").replace("]]", " }}")


def write_eleventy(folder: Path, site: Path) -> None:
    """A project that Eleventy builds."""
    (folder / "content").mkdir(parents=True)
    (folder / "layouts").mkdir()
    (folder / "eleventy.config.cjs").write_text(ELEVENTY, encoding="utf-8")
    for language in ("", "en"):
        text = layout(site, language).replace("{{ content }}", "{{ content | safe }}")
        (folder / f"layouts/layout{language}.njk").write_text(text, encoding="utf-8")
    for number, one in enumerate(contents(site)):
        language = "en" if one.path.startswith("en/") else ""
        matter = {**one.blanks, "layout": f"layout{language}.njk", "permalink": one.path}
        text = f"---json\n{json.dumps(matter, ensure_ascii=False)}\n---\n{one.body}"
        (folder / f"content/p{number:05}.html").write_text(text, encoding="utf-8")


def write_pelican(folder: Path, site: Path) -> None:
    """A project that Pelican builds."""
    (folder / "content/pages").mkdir(parents=True)
    (folder / "theme/templates").mkdir(parents=True)
    (folder / "theme/static").mkdir()
    (folder / "pelicanconf.py").write_text(PELICAN, encoding="utf-8")
    for language in ("", "en"):
        text = layout(site, language).replace("{{ content }}", "{{ page.content }}")
        for name in ("title", "description", "translation", "article"):
            text = text.replace(f"{{{{ {name} }}}}", f"{{{{ page.{'x' + name} | e }}}}")
        (folder / f"theme/templates/layout{language}.html").write_text(text, encoding="utf-8")
    for number, one in enumerate(contents(site)):
        language = "en" if one.path.startswith("en/") else ""
        matter = {"slug": one.path, "template": f"layout{language}", **{f"x{k}": v for k, v in one.blanks.items()}}
        metas = "".join(f'<meta name="{name}" content="{html.escape(value)}">' for name, value in matter.items())
        text = (
            f"<html><head><title>{html.escape(one.blanks['title'])}</title>{metas}</head><body>{one.body}</body></html>"
        )
        (folder / f"content/pages/p{number:05}.html").write_text(text, encoding="utf-8")
