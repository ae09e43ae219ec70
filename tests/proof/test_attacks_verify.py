"""A planted leak of each kind: whoever verifies learns what is wrong, as an officer and as any citizen."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Release, read_release
from etl.exchange.release_folder import SUMS
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.proof.attacker import explore
from etl.proof.history import reader_of
from etl.proof.reader import ranges_of
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from etl.workflow import verifying
from tests.support import naive
from tests.support.releases import loaded, proved_anew, sealed_anew, stored, write_proved
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 2 + [(0, 60, 3, 14), (0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 2 + [(0, 60, 4, 13), (0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]
Line = tuple[str, str, str]


@pytest.fixture(scope="module")
def few(campaign: Campaign) -> Campaign:
    return make_campaign(campaign, len(ROWS))


def put(folder: Path, few: Campaign, *makes: Callable[..., Release]) -> Path:
    """Releases with their proofs, one after the other; the last one's folder."""
    made: list[Release] = []
    for make, rows in zip(makes, (ROWS, LATER, LATER), strict=False):
        made.append(make(few, make_counts(few, rows, random.Random(4)), made, SECRET))
    folders: list[Path] = []
    for release in made:
        folders.append(write_proved(folder, naive.after(release, folders)))
    return folders[-1]


@pytest.fixture(scope="module")
def proved(few: Campaign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One closing release; one rounded; three in a row."""
    ways = {
        "close": [closing_release],
        "rounded": [interim_release],
        "stack": [interim_release] * 2 + [closing_release],
    }
    return {name: put(tmp_path_factory.mktemp(name), few, *makes) for name, makes in ways.items()}


@pytest.fixture
def release(proved: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one of them, to be spoilt."""
    last = proved[request.param]
    shutil.copytree(last.parent, tmp_path / "released")
    return tmp_path / "released" / last.name


def says(few: Campaign, folder: Path) -> list[str]:
    """What the citizen's program says of a release, and what the officer's command does; empty for nothing."""
    said = ["", ""]
    try:
        verify_release.check(folder)
    except verify_release.Failed as failed:
        said[0] = str(failed)
    try:
        verifying.verify_release_folder(few, folder)
    except FuxueError as error:
        said[1] = f"{error.key} {error.params}"
    return said


@pytest.fixture
def forger(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Digests, ranges and proof as if the files had been released so: the best proof there is of what does not hold."""
    monkeypatch.setattr("etl.proof.prove.explore", lambda *given: (explore(*given)[0], []))
    monkeypatch.setattr("etl.proof.prove._divide", lambda *_: None)
    monkeypatch.setattr("etl.proof.verify_release.check", lambda _: {"tables": 0})

    def forge(folder: Path) -> None:
        sealed_anew(folder)
        read = read_release(folder)
        ranges = ranges_of(reader_of([read], read.assumed), read)
        stored(folder / "audit.json", {"ranges": {cell: list(ends) for cell, ends in ranges.items()}})
        sealed_anew(folder)
        proved_anew(folder)
        monkeypatch.undo()

    return forge


@pytest.mark.parametrize("release", ["close", "rounded", "stack"], indirect=True)
def test_what_nobody_touched_is_found_to_hold(few: Campaign, release: Path) -> None:
    assert says(few, release) == ["", ""]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([("u3", "to_return", "12"), ("u3", "returned", "9")], "u3.still_out"),  # a total that lets subtraction work
        ([("u4", "to_return", "6"), ("u4", "returned", "0")], "u4.to_return"),  # all of a group in one part
        ([("u2", "returned", "3")], "u2.returned"),  # a withheld count printed
    ],
    ids=["a total", "a group", "a count"],
)
@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_printed_figure_that_reveals_a_small_count_is_caught_whatever_its_proof(
    few: Campaign, release: Path, lines: list[Line], named: str, forger: Callable[[Path], None]
) -> None:
    naive.printed(release, lines)
    forger(release)
    for said in says(few, release):
        assert named in said, said


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_figure_printed_under_the_old_proof_is_caught(few: Campaign, release: Path) -> None:
    naive.printed(release, [("u3", "to_return", "12"), ("u3", "returned", "9")])
    sealed_anew(release)
    assert "u3.returned" in says(few, release)[0] or "u3.to_return" in says(few, release)[0]


@pytest.mark.parametrize("release", ["rounded"], indirect=True)
def test_a_band_too_narrow_is_caught_whatever_its_proof(
    few: Campaign, release: Path, forger: Callable[[Path], None]
) -> None:
    """All listed children of a unit are verified: two bands of one count that share three values. No rounding of ours
    gives the figure that it takes."""
    verified = naive.published_figure(release, "u0", "verified")
    naive.printed(release, [("u0", "suspected", str(verified + 8))], status="rounded")
    forger(release)
    for said in says(few, release):
        assert "line 2 of units.csv has a number that does not fit its status" in said


@pytest.mark.parametrize("release", ["rounded"], indirect=True)
def test_an_unreported_units_figures_are_caught(few: Campaign, release: Path) -> None:
    naive.printed(release, [("u5", "returned", "1")])
    sealed_anew(release)
    for said in says(few, release):
        assert "in units.csv, u5 has reported in one place and not in another" in said


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_table_of_the_proof_altered_is_caught(few: Campaign, release: Path) -> None:
    proof = loaded(release / "proof.json")
    proof["tables"][0][1] += 1
    stored(release / "proof.json", proof)
    for said in says(few, release):
        assert "proof.json" in said, said
    sealed_anew(release)
    for said in says(few, release):
        assert "example 1: categories do not add up to the city's deducted" in said, said


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_an_altered_digest_is_caught(few: Campaign, release: Path) -> None:
    sums = (release / SUMS).read_text().splitlines()
    (release / SUMS).write_text("\n".join(f"{'0' * 64}  units.csv" if "units" in one else one for one in sums) + "\n")
    citizen, officer = says(few, release)
    assert "units.csv was changed" in citizen
    assert "release.changed" in officer


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_an_earlier_release_changed_or_missing_is_caught(few: Campaign, release: Path) -> None:
    first = release.parent / "0001"
    stored(first / "release.json", loaded(first / "release.json") | {"as_of": "2019-03-03"})
    sealed_anew(first)
    for said in says(few, release):
        assert "0001/SHA256SUMS was changed" in said
    shutil.rmtree(first)
    for said in says(few, release):
        assert "0001 is missing" in said


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_an_earlier_release_left_out_of_the_account_is_caught(few: Campaign, release: Path) -> None:
    """A closing release that says it was made after none is not proved against those that lie beside it."""
    about = loaded(release / "release.json")
    del about["earlier"]["0001"]
    stored(release / "release.json", about)
    sealed_anew(release)
    for said in says(few, release):
        assert "it does not take every earlier release into account" in said


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_a_release_that_is_said_to_be_the_first_and_is_not_is_caught(few: Campaign, release: Path) -> None:
    alone = closing_release(few, make_counts(few, LATER, random.Random(4)), (), SECRET)
    shutil.rmtree(release)
    write_proved(release.parent / "elsewhere", alone)
    shutil.move(release.parent / "elsewhere" / "0001", release)
    for said in says(few, release):
        assert "release in release.json is not valid" in said or "release.renamed" in said
    for name in ("release.json", "proof.json"):
        stored(release / name, loaded(release / name) | {"release": "0003"})
    sealed_anew(release)
    for said in says(few, release):
        assert "it does not take every earlier release into account" in said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"k": 2}, "k in release.json is below 3"),
        ({"category_k": {"I": 2}}, "I in release.json is below 3"),
        ({"known": ("city.suspected", "u2.returned")}, "takes u2.returned as known to everybody"),
    ],
)
def test_a_release_whose_own_rules_protect_nobody_has_no_proof(
    few: Campaign, tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    lax = replace(few, publication=replace(few.publication, **changed))  # type: ignore[arg-type]
    with pytest.raises(verify_release.Failed, match=words):
        put(tmp_path, lax, closing_release)


#: Rules that another campaign may have, and how they are printed for the citizen; the officer gets an error.
OTHER_RULES: dict[str, tuple[dict[str, object], str]] = {
    "k": ({"k": 4}, "k = 4"),
    "category_k": ({"category_k": {"I": 7}}, "k = 5, I: 7"),
    "known": ({"known": ("city.suspected", "city.deducted")}, "everybody: city.suspected, city.deducted"),
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
    few: Campaign, release: Path, changed: dict[str, str], what: str
) -> None:
    stored(release / "release.json", loaded(release / "release.json") | changed)
    sealed_anew(release)
    verify_release.check(release)  # printed for the citizen, who must know the campaign
    with pytest.raises(FuxueError, match=what):
        verifying.verify_release_folder(few, release)


@pytest.mark.parametrize("key", ["title", "measures", "key"])
@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_table_that_is_not_the_campaigns_is_refused(few: Campaign, release: Path, key: str) -> None:
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
def test_an_assumption_that_the_campaign_does_not_make_is_caught(few: Campaign, release: Path) -> None:
    about = loaded(release / "release.json")
    about["assumed"] = {"key": "none of ours", "fixed": [], "grows": []}
    stored(release / "release.json", about)
    sealed_anew(release)
    assert "verify.assumed" in says(few, release)[1]
