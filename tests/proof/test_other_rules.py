"""A release under other rules than the campaign's: printed for the citizen, refused for the officer."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.rulebook.campaign import Campaign
from etl.workflow import verifying
from tests.support.proved_releases import few, proved, put, release, says
from tests.support.releases import loaded, sealed_anew, stored

__all__ = ["few", "proved", "release"]

#: Rules that another campaign may have, and how they are printed for the citizen.
OTHER_RULES: Mapping[str, tuple[Mapping[str, object], str]] = {
    "k": ({"k": 4}, "k = 4"),
    "category_k": ({"category_k": {"I": 7}}, "k = 5, I: 7"),
    "known": ({"known": ("city.suspected", "city.deducted")}, "known to all: city.suspected, city.deducted"),
}


@pytest.mark.parametrize("what", OTHER_RULES)
def test_rules_other_than_the_campaigns_are_printed_for_the_citizen_and_refused_for_the_officer(
    few: Campaign,
    tmp_path: Path,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed, words = OTHER_RULES[what]
    lax = replace(few, publication=replace(few.publication, **changed))  # type: ignore[arg-type]
    folder = put(tmp_path, lax, closing_release)
    with pytest.raises(FuxueError, match=rf"verify\.rules .*'what': '{what}'"):
        verifying.verify_release_folder(few, folder)
    monkeypatch.setattr("sys.argv", ["verify_release.py", str(folder)])
    assert verify_release.main() == 0
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"campaign": "elsewhere-2019"}, "verify.rules .*'what': 'campaign'"),
        ({"as_of": "2019-02-18"}, "verify.day"),
        ({"as_of": "9999-12-31"}, "verify.day"),
    ],
)
@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_another_campaign_or_a_day_outside_it_is_refused(
    few: Campaign,
    release: Path,
    changed: dict[str, str],
    what: str,
) -> None:
    stored(release / "release.json", loaded(release / "release.json") | changed)
    sealed_anew(release)
    verify_release.check(release)  # printed for the citizen, who must know the campaign
    with pytest.raises(FuxueError, match=what):
        verifying.verify_release_folder(few, release)


@pytest.mark.parametrize("key", ["title", "measures", "key"])
@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_table_that_is_not_the_campaigns_is_refused(
    few: Campaign,
    release: Path,
    key: str,
) -> None:
    about = loaded(release / "release.json")
    table = about["tables"][0]
    if key == "measures":
        table["measures"] = table["measures"][:-1]
        lines = (release / "city.csv").read_text("utf-8").splitlines()[:-1]
        (release / "city.csv").write_text("\n".join(lines) + "\n", "utf-8")
    else:
        table[key] = "other"
    if key == "key":
        (release / "city.csv").rename(release / "other.csv")
    stored(release / "release.json", about)
    sealed_anew(release)
    verify_release.check(release)
    with pytest.raises(FuxueError, match=r"verify\.rules .*'what': 'tables'"):
        verifying.verify_release_folder(few, release)


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_an_assumption_that_the_campaign_does_not_make_is_caught(
    few: Campaign,
    release: Path,
) -> None:
    about = loaded(release / "release.json")
    about["assumed"] = {"key": "none of ours", "fixed": [], "grows": []}
    stored(release / "release.json", about)
    sealed_anew(release)
    assert "verify.assumed" in says(few, release)[1]
