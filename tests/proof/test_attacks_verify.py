"""A planted leak of each kind: whoever verifies learns what is wrong, as an officer and as any citizen."""

import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.exchange.release_folder import SUMS
from etl.proof import prove as prover
from etl.proof import verify_release
from etl.proof.attacker import explore
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from tests.support import naive
from tests.support.forging import resealed
from tests.support.proved_releases import LATER, SECRET, few, proved, put, release, says
from tests.support.releases import loaded, proved_anew, sealed_anew, stored, write_proved
from tests.support.small_counts import make_counts

__all__ = ["few", "proved", "release"]


@pytest.fixture
def forger(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Digests and proof as if the files had been released so: the best proof there is of what does not hold."""
    reach = prover._reach

    def as_far_as_can_be(attacker: Any, tables: list[list[int]], goals: Mapping[int, Any], *, least: bool) -> None:
        for cell, goal in goals.items():
            try:
                reach(attacker, tables, {cell: goal}, least=least)
            except ValueError:
                tables.append(attacker.extreme({cell: 1}, least=least))

    def forge(folder: Path) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(prover, "explore", lambda *given: (explore(*given)[0], []))
            patched.setattr(prover, "_reach", as_far_as_can_be)
            patched.setattr(verify_release, "check", lambda _: {"examples": 0})
            proved_anew(folder)

    return forge


@pytest.mark.parametrize("release", ["close", "rounded", "pair", "after", "stack"], indirect=True)
def test_what_nobody_touched_is_found_to_hold(few: Campaign, release: Path) -> None:
    assert says(few, release) == ["", ""]


#: The lines changed in a closing release, the reason, and what the citizen's program names. True are u3: 50, 9, 3;
#: u4: 30, 0, 6; u2: 60, 3, 14.
LEAKS: dict[str, tuple[dict[str, str], str, str]] = {
    "an exact small count": ({"u2.returned": "exact,3,3,3,"}, "narrow", "u2.returned"),
    "an exact zero": ({"u4.returned": "exact,0,0,0,"}, "narrow", "u4.returned"),
    "an exact small count beside its rounding": ({"u4.returned": "exact,0,0,0,0"}, "narrow", "u4.returned"),
    "an interval of two values": ({"u3.still_out": "interval,,2,3,"}, "narrow", "u3.still_out"),
    "an interval of k - 1 values": ({"u3.still_out": "interval,,1,4,"}, "narrow", "u3.still_out"),
    "exact figures of all others and of the city": (
        {f"u{unit}.still_out": f"exact,{count},{count},{count}," for unit, count in enumerate((8, 8, 14)) }
        | {"u4.still_out": "exact,6,6,6,", "city.still_out": "exact,39,39,39,"},
        "narrow", "u3.still_out",
    ),
    "a small category exact": (
        {f"{code}.verified": "interval,,0,99," for code in "IKLM"} | {"J.verified": "exact,2,2,2,"},
        "narrow", "J.verified",
    ),
    "an interval whose end no example reaches": ({"u3.still_out": "interval,,0,500,"}, "end", "u3.still_out"),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_printed_figure_that_reveals_a_small_count_is_caught_whatever_its_proof(
    few: Campaign, release: Path, leak: str, forger: Callable[[Path], None]
) -> None:
    lines, key, named = LEAKS[leak]
    naive.printed(release, lines)
    forger(release)
    citizen, officer = says(few, release)
    assert citizen.startswith(f"{key}: ")
    assert f"0001/{named}" in citizen or named in citizen
    assert "verify.bad" in officer


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_a_figure_printed_under_the_old_proof_is_caught(few: Campaign, release: Path) -> None:
    naive.printed(release, {"u3.still_out": "exact,3,3,3,0"})
    sealed_anew(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("fits: ")
    assert "u3.still_out" in citizen
    assert officer


@pytest.mark.parametrize("release", ["rounded"], indirect=True)
def test_bands_of_a_sum_and_its_parts_that_share_too_few_values_are_caught_whatever_their_proof(
    few: Campaign, release: Path, forger: Callable[[Path], None]
) -> None:
    """The parts are rounded up by two steps more than their sum, so that they leave four values of it."""
    figure = naive.rounded_figure(release, "city.returned") + 12
    naive.printed(release, {"city.returned": f"rounded,{figure},{figure - 5},{figure + 5},{figure}"})
    forger(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("narrow: ")
    assert "0001/city." in citizen
    assert "verify.bad" in officer


@pytest.mark.parametrize("release", ["rounded"], indirect=True)
def test_an_exact_figure_before_the_close_is_caught_whatever_its_proof(
    few: Campaign, release: Path, forger: Callable[[Path], None]
) -> None:
    naive.printed(release, {"u0.returned": "exact,14,14,14,"})
    forger(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("narrow: ")
    assert "u0.returned" in citizen
    assert "verify.bad" in officer


@pytest.mark.parametrize("release", ["rounded"], indirect=True)
def test_an_unreported_units_figures_are_caught(few: Campaign, release: Path) -> None:
    naive.printed(release, {"u5.returned": "rounded,0,0,5,0"})
    sealed_anew(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("line: ")
    assert "units" in citizen
    assert officer


@pytest.mark.parametrize("release", ["after"], indirect=True)
def test_a_rounded_count_that_is_assumed_not_to_have_changed_since_it_was_exact_is_caught_whatever_its_proof(
    few: Campaign, release: Path, forger: Callable[[Path], None]
) -> None:
    naive.printed(release.parent / "0001", {"u3.returned": "exact,9,9,9,"})
    naive.printed(release, {"u3.returned": "rounded,6,1,11,6"})
    about = loaded(release / "release.json")
    stored(release / "release.json", about | {"assumed": {"key": "x", "fixed": ["returned"], "grows": []}})
    forger(release.parent / "0001")
    resealed(release)
    forger(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("narrow: ")
    assert "0002/u3.returned" in citizen
    assert officer


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_a_second_closing_release_is_caught_whatever_its_proof(
    few: Campaign, release: Path, forger: Callable[[Path], None]
) -> None:
    shutil.rmtree(release.parent / "0002")
    shutil.copytree(release, release.parent / "0002")
    sooner = release.parent / "0002"
    about = loaded(sooner / "release.json")
    stored(sooner / "release.json", about | {"release": "0002", "earlier": {"0001": about["earlier"]["0001"]}})
    forger(sooner)
    resealed(release)
    forger(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("stack: ")
    assert officer


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_an_example_of_the_proof_altered_is_caught(few: Campaign, release: Path) -> None:
    proof = loaded(release / "proof.json")
    proof["examples"][0][1] += 1
    stored(release / "proof.json", proof)
    citizen, officer = says(few, release)
    assert citizen.startswith("sums: ")
    assert "proof.json" in officer
    sealed_anew(release)
    citizen, officer = says(few, release)
    assert citizen.startswith("fits: ")
    assert "example 1" in citizen
    assert "example 1" in officer


@pytest.mark.parametrize("release", ["close"], indirect=True)
def test_an_altered_digest_is_caught(few: Campaign, release: Path) -> None:
    sums = (release / SUMS).read_text().splitlines()
    (release / SUMS).write_text("\n".join(f"{'0' * 64}  units.csv" if "units" in one else one for one in sums) + "\n")
    citizen, officer = says(few, release)
    assert citizen.startswith("sums: ")
    assert "units.csv" in citizen
    assert "release.changed" in officer


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_an_earlier_release_changed_or_missing_is_caught(few: Campaign, release: Path) -> None:
    sooner = release.parent / "0001"
    stored(sooner / "release.json", loaded(sooner / "release.json") | {"as_of": "2019-03-03"})
    sealed_anew(sooner)
    for said in says(few, release):
        assert "release 0001 is missing, changed" in said
    shutil.rmtree(sooner)
    for said in says(few, release):
        assert said


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_an_earlier_release_left_out_of_the_account_is_caught(few: Campaign, release: Path) -> None:
    """A closing release that says it was made after none is not proved against those that lie beside it."""
    about = loaded(release / "release.json")
    del about["earlier"]["0001"]
    stored(release / "release.json", about)
    sealed_anew(release)
    for said in says(few, release):
        assert "earlier in release.json" in said


@pytest.mark.parametrize("release", ["stack"], indirect=True)
def test_a_release_that_is_said_to_be_the_first_and_is_not_is_caught(few: Campaign, release: Path) -> None:
    alone = closing_release(ReleaseDay(few, make_counts(few, LATER, random.Random(4)), (), SECRET))
    shutil.rmtree(release)
    write_proved(release.parent / "elsewhere", alone)
    shutil.move(release.parent / "elsewhere" / "0001", release)
    shutil.rmtree(release.parent / "elsewhere")
    for name in ("release.json", "proof.json"):
        stored(release / name, loaded(release / name) | {"release": "0003"})
    sealed_anew(release)
    for said in says(few, release):
        assert "earlier in release.json" in said


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"k": 2}, "k in release.json"),
        ({"category_k": {"I": 2}}, "k in release.json"),
        ({"known": ("city.suspected", "u2.returned")}, "known in release.json"),
    ],
)
def test_a_release_whose_own_rules_protect_nobody_has_no_proof(
    few: Campaign, tmp_path: Path, changed: dict[str, object], what: str
) -> None:
    lax = replace(few, publication=replace(few.publication, **changed))  # type: ignore[arg-type]
    with pytest.raises(verify_release.Failed, match=what):
        put(tmp_path, lax, interim_release)
