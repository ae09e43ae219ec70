"""Faults put into the site on purpose: each is found by the check that is there for it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support import browsing, markup
from tests.support.sample_release import figures
from tests.support.sample_releases import made_stack, stack

HOME, UNITS = "index.html", "units/index.html"
#: File, what to look for, what to put in its place, and the check that must find it.
TEXT = {
    "a heading without its scope": (UNITS, '<th scope="row">', "<th>", "scope"),
    "a row without its heading": (UNITS, r'<th scope="row">(.*?)</th>', r"<td>\1</td>", "row heading"),
    "no language": (HOME, '<html lang="zh-CN">', "<html>", "lang"),
    "the other language": (HOME, '<html lang="zh-CN">', '<html lang="en">', "lang"),
    "a tag never closed": (HOME, "</h1>", "", "html"),
    "an attribute twice": (HOME, '<main id="content"', '<main id="content" id="content"', "html"),
    "a second main heading": (HOME, "</main>", "<h1>x</h1></main>", "one h1"),
    "the same name twice": (HOME, 'id="deadlines"', 'id="overall"', "id"),
    "a dead link": (HOME, 'href="help/index.html"', 'href="helpp/index.html"', "link"),
    "a dead place": (HOME, "about/index.html#report", "about/index.html#reports", "link"),
    "another host": (HOME, 'href="style.css"', 'href="https://cdn.example/style.css"', "foreign"),
    "no policy": (HOME, '<meta http-equiv="Content-Security-Policy".*?>', "", "policy"),
    "a style of its own": (HOME, "<h1>", '<h1 style="color: red">', "inline"),
    "a script of its own": (HOME, "</main>", "<script>1</script></main>", "inline"),
    "no site code": (HOME, '<meta name="SiteIDCode".*?>', "", "meta"),
    "no source": (HOME, '<meta name="ContentSource" content=".*?"', '<meta name="ContentSource"', "meta"),
    "fewer than six as zero": (UNITS, r'<span class="fewer".*?</span><span class="away">.*?</span>', "0", "figure"),
    "another interval": (HOME, r"1,056–1,061", "1,056–1,060", "figure"),
    "an interval that is heard as another": (HOME, "1,056 到 1,061", "1,056 到 1,060", "figure"),
    "an interval shown as exact": (UNITS, 'data-status="interval"', 'data-status="exact"', "status"),
    "an interval with a solid bar": (UNITS, 'class="hatch returned"', 'class="fill returned"', "drawn"),
    "an interval with the band of a rounded figure": (UNITS, 'class="hatch returned', 'class="band returned', "drawn"),
    "a stretch that begins too late": (HOME, 'class="hatch deducted" x="86', 'class="hatch deducted" x="87', "drawn"),
    "exact with a hatching": (UNITS, r'(data-status="exact" [^>]*>.*?)class="fill', r'\1class="hatch', "drawn"),
    "waiting as zero": (UNITS, r'<span class="n"><span class="waiting">.*?</span>', '<span class="n">0', "figure"),
    "another figure": (UNITS, r">150</span>", ">151</span>", "figure"),
    "rounded as exact": (UNITS, r'(<span class="n">)约 (\d+)<span class="slack">±5</span>', r"\1\2", "figure"),
    "a picture read aloud": (HOME, ' height="12" aria-hidden="true"', ' height="12"', "picture"),
}  # fmt: skip
SEEN = {
    "little contrast": ("style.css", "--soft: #56606d", "--soft: #a9b0b8", "axe color-contrast"),
    "little contrast in the dark": ("style.css", "--soft: #a3acb8", "--soft: #4a525c", "axe color-contrast"),
    "sideways scroll": ("style.css", r"\.lead \{", ".lead { min-width: 40rem;", "wide"),
    "small print": ("style.css", r"footer \{", "footer p { font-size: 11px; } footer {", "small"),
    "small targets": ("style.css", r"\.menu a \{ display: block; padding: [^;]*;", ".menu a {", "target"),
    "a link that says nothing": (HOME, ">关于本站</a>", "></a>", "axe link-name"),
    "no zoom": (HOME, "initial-scale=1", "initial-scale=1, user-scalable=no", "axe meta-viewport"),
    "no title": (HOME, "<title>.*?</title>", "<title></title>", "axe document-title"),
    "a step of headings left out": (HOME, r"<h2 (.*?)</h2>", r"<h4 \1</h4>", "axe heading-order"),
    "a list of nothing": (HOME, "</ol>", "<p>x</p></ol>", "axe list"),
    "a role that is none": (HOME, "<main ", '<main role="mian" ', "axe aria-roles"),
    "hidden but reached": (HOME, 'class="doors"', 'class="doors" aria-hidden="true"', "axe aria-hidden-focus"),
    "a script that fails": ("tables.js", "^", "nothing();", "console"),
    "a picture from elsewhere": (HOME, "</main>", '<img alt="" src="https://cdn.example/"></main>', "console"),
    "a request too many": (HOME, "</main>", '<img alt="" src="x.png"><img alt="" src="y.png"></main>', "requests"),
}  # fmt: skip
#: Of those that are seen, the ones that `make test` plants: one for each way of looking.
SOME = ("little contrast in the dark", "sideways scroll", "small print", "small targets", "a script that fails",
        "a request too many")  # fmt: skip
PAGE_OF = {"tables.js": UNITS, "style.css": HOME}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The site while units still report, and at the close."""
    folder = tmp_path_factory.mktemp("faults")
    return {most: shutil.copytree(made_stack(tmp_path_factory, most) / "site", folder / str(most)) for most in (2, 3)}


@contextmanager
def spoilt(path: Path, pattern: str, instead: str) -> Iterator[None]:
    """With the fault in the file, and without it afterwards."""
    text = path.read_text(encoding="utf-8")
    changed, number = re.subn(pattern, instead, text, count=1, flags=re.S)
    assert number == 1
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def read(site: Path, path: Path, most: int) -> set[str]:
    return {name for name, _ in markup.faults(site, path, figures(stack()[most - 1]))}


@pytest.mark.parametrize("most", [pytest.param(2, marks=pytest.mark.prove), 3])
def test_the_pages_as_they_are_have_no_fault(sites: dict[int, Path], most: int) -> None:
    pages = list(sites[most].rglob("*.html"))
    assert len(pages) > 2 * (30 + most)
    for path in pages:
        assert read(sites[most], path, most) == set(), path


@pytest.mark.parametrize("name", TEXT)
def test_a_fault_of_the_text_is_found(sites: dict[int, Path], name: str) -> None:
    file, pattern, instead, check = TEXT[name]
    most = 2 if name in ("waiting as zero", "rounded as exact") else 3
    with spoilt(sites[most] / file, pattern, instead):
        assert check in read(sites[most], sites[most] / file, most)


@pytest.mark.parametrize("name", [n if n in SOME else pytest.param(n, marks=pytest.mark.prove) for n in SEEN])
def test_a_fault_that_is_seen_is_found(browser: Browser, sites: dict[int, Path], name: str) -> None:
    file, pattern, instead, check = SEEN[name]
    state = (320, "dark" if "dark" in name else "light")
    with (
        spoilt(sites[3] / file, pattern, instead),
        browsing.visiting(browser, sites[3], PAGE_OF.get(file, file)) as visit,
    ):
        assert check in {found for found, _ in browsing.faults(visit, [state], axes=int(check.startswith("axe")))}
