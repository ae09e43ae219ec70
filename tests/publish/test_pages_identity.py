"""What a government site must say of itself: read as it stands, shown as not filled in, refused in production."""

from pathlib import Path

import pytest
from markupsafe import escape

from etl.findings import FuxueError
from etl.publish.__main__ import publish_site
from etl.publish.site_identity import FIELDS, load_identity
from tests.support.releases import write_release
from tests.support.sample_release import CAMPAIGN, sample_release
from tests.support.site_identity import FILLED, filled


def test_every_field_has_an_example_that_is_taken(
    tmp_path: Path,
) -> None:
    assert list(FILLED) == list(FIELDS)
    identity = load_identity(filled(tmp_path / "campaign"), "ABC", production=True)
    assert identity.fields == FILLED
    assert identity.base == "https://www.example.gov.cn/"
    assert identity.follows["A"]["zh"].startswith("公安户籍部门")


def test_what_is_shipped_is_made_up_nowhere() -> None:
    assert load_identity(CAMPAIGN, "A").unfilled == tuple(FIELDS)


def test_a_production_build_names_each_field_that_is_not_filled_in(tmp_path: Path) -> None:
    folder = filled(tmp_path / "campaign", icp="", phone="")
    write_release(tmp_path / "released", sample_release())
    with pytest.raises(FuxueError) as error:
        publish_site(tmp_path / "released", tmp_path / "public", folder, production=True)
    assert error.value.key == "publish.unfilled"
    assert error.value.params["fields"] == "identity.icp、identity.phone"
    assert not (tmp_path / "public").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain", "nowhere"), ("domain", "https://www.example.gov.cn"), ("domain", "www.example.gov.cn/../x"),
        ("id_code", "12"), ("icp", "x"), ("email", "a b"),
        ("phone", " "), ("phone", "()"), ("address", "  "), ("address", "（待填）"), ("address", "to be filled in"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_right_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(FuxueError, match=f"identity.{name}"):
        load_identity(filled(tmp_path / "campaign", **{name: value}), "A")


def test_a_site_that_lies_in_a_folder_has_its_addresses_there(tmp_path: Path) -> None:
    folder = filled(tmp_path / "campaign", domain="www.example.gov.cn/edu/fuxue")
    write_release(tmp_path / "released", sample_release())
    publish_site(tmp_path / "released", tmp_path / "public", folder, production=True)
    top = "https://www.example.gov.cn/edu/fuxue/"
    html = (tmp_path / "public/site/en/data/index.html").read_text(encoding="utf-8")
    assert '<meta name="SiteDomain" content="www.example.gov.cn">' in html
    assert f'<link rel="canonical" href="{top}en/data/index.html">' in html
    assert f'"contentUrl": "{top}data/latest/city.csv"' in html
    assert f'href="{top}releases/0001/index.html"' in (tmp_path / "public/site/feed.xml").read_text(encoding="utf-8")


def test_a_text_of_the_site_is_never_taken_for_html(tmp_path: Path) -> None:
    text = "</dd><script>alert(1)</script><img src=//example.org/x onerror=alert(1)>{{ 7*7 }}{x}"
    folder = filled(tmp_path / "campaign", address=text)
    write_release(tmp_path / "released", sample_release())
    publish_site(tmp_path / "released", tmp_path / "public", folder, production=True)
    html = (tmp_path / "public/site/about/index.html").read_text(encoding="utf-8")
    assert str(escape(text)) in html
    assert "<script" not in html
    assert "<img" not in html


def test_a_category_of_which_nothing_is_said_is_refused() -> None:
    with pytest.raises(FuxueError, match=r"follows\.Z"):
        load_identity(CAMPAIGN, "AZ")
