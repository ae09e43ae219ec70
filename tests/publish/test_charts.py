"""Bars, shares and sums: computed from published figures only, and never more than these allow."""

from etl.exchange.release import Cell, Status, exact_cell, interval_cell, rounded_cell
from etl.publish.charts import Band, BarShape, added, bar_of, scale, share_of, starts, sums_of
from tests.support.sample_release import FEW, WAITING, sample_release


def test_a_bar_is_drawn_from_published_figures_only() -> None:
    assert bar_of(exact_cell(631), 1000) == BarShape("0%", "63.1%")
    assert bar_of(exact_cell(25), 100, start=75) == BarShape("75%", "25%")
    assert bar_of(WAITING, 1000) is None
    assert bar_of(exact_cell(0), 1000) is None
    assert bar_of(exact_cell(3), 0) is None


def test_an_interval_is_solid_up_to_its_low_end_and_hatched_from_there_to_its_high_end() -> None:
    assert bar_of(interval_cell(24, 29), 100) == BarShape("0%", "24%", Band("24%", "5%"))
    assert bar_of(interval_cell(24, 29), 100, start=50) == BarShape("50%", "24%", Band("74%", "5%"))
    assert bar_of(FEW, 100) == BarShape("0%", "0%", Band("0%", "5%"))
    # It can be seen however small it is, and stays within its track.
    assert bar_of(FEW, 100_000) == BarShape("0%", "0%", Band("0%", "0.6%"))
    assert bar_of(interval_cell(99_995, 100_000), 100_000) == BarShape("0%", "99.4%", Band("99.4%", "0.6%"))
    assert bar_of(interval_cell(24, 29), 20) == BarShape("0%", "99.4%", Band("99.4%", "0.6%"))


def test_a_bar_that_is_not_zero_can_be_seen_and_none_leaves_its_track() -> None:
    assert bar_of(exact_cell(1), 100_000) == BarShape("0%", "0.6%")
    assert bar_of(exact_cell(1), 100_000, start=100_000) == BarShape("99.4%", "0.6%")


def test_a_share_of_exact_figures_is_whole_only_when_that_is_true() -> None:
    assert share_of(exact_cell(1199), exact_cell(1200)) == "99.9%"
    assert share_of(exact_cell(1), exact_cell(3000)) == "0.1%"
    assert share_of(exact_cell(1200), exact_cell(1200)) == "100%"
    assert share_of(exact_cell(0), exact_cell(1200)) == "0%"
    assert share_of(exact_cell(1), exact_cell(8)) == "12.5%"
    assert share_of(exact_cell(0), exact_cell(0)) is None


def test_a_share_of_what_is_not_exact_is_a_band_that_surely_holds_it() -> None:
    assert share_of(interval_cell(90, 95), exact_cell(100)) == "90–95%"
    assert share_of(exact_cell(95), interval_cell(96, 101)) == "94–99%"
    assert share_of(rounded_cell(24, 5), rounded_cell(60, 5)) == "29–53%"
    assert share_of(FEW, exact_cell(1223)) == "0–1%"
    # A part is not more than its whole, whatever the two say by themselves.
    assert share_of(interval_cell(30, 35), interval_cell(30, 35)) == "85–100%"
    assert share_of(rounded_cell(66, 5), rounded_cell(54, 5)) == "100%"
    for low in range(24, 39):
        for part in range(1, low + 1):
            low_end, high_end = (
                float(end) for end in str(share_of(exact_cell(part), interval_cell(low, 39))).strip("%").split("–")
            )
            assert low_end <= 100 * part / 39 <= 100 * part / low <= high_end


def test_no_band_is_given_where_it_would_say_nothing() -> None:
    for part, whole in (
        (FEW, exact_cell(23)),
        (exact_cell(9), interval_cell(18, 23)),
        (exact_cell(9), rounded_cell(24, 5)),
        (WAITING, exact_cell(90)),
        (exact_cell(9), WAITING),
        (FEW, exact_cell(0)),
    ):
        assert share_of(part, whole) is None


def test_the_sum_of_published_figures_is_as_wide_as_they_are_together() -> None:
    assert added([exact_cell(17), exact_cell(6)]) == exact_cell(23)
    assert added([exact_cell(17), FEW]) == interval_cell(17, 22)
    assert added([interval_cell(24, 29), interval_cell(6, 11)]) == interval_cell(30, 40)
    assert added([rounded_cell(12, 5), rounded_cell(0, 5)]) == Cell(Status.ROUNDED, 7, 22, 12)
    assert added([WAITING, exact_cell(6)]) == WAITING
    sums = {"verified": ("deducted", "to_return"), "to_return": ("returned", "still_out")}
    assert sums_of({"suspected": exact_cell(9), "returned": FEW, "still_out": FEW}, sums) == {
        "to_return": interval_cell(0, 10)
    }
    assert sums_of({"to_return": exact_cell(9), "returned": FEW, "still_out": FEW}, sums) == {}


def test_a_scale_is_the_greatest_count_that_a_figure_of_its_family_allows() -> None:
    units = sample_release().table("units")
    assert scale([units], "suspected") == 170
    assert scale([units], "verified") == 170
    assert scale([units], "returned") == 29
    nothing = {at: WAITING for at in units.cells}
    assert scale([type(units)("u", "unit", units.rows, units.measures, nothing, "", "")], "verified") == 0


def test_parts_lie_side_by_side_each_after_what_is_sure_of_the_one_before() -> None:
    sums = {"verified": ("deducted", "to_return"), "to_return": ("returned", "still_out")}
    row = {"verified": exact_cell(100), "deducted": exact_cell(80), "to_return": exact_cell(20)}
    row |= {"returned": exact_cell(15), "still_out": exact_cell(5)}
    assert starts(row, sums) == {"verified": 0, "deducted": 0, "to_return": 80, "returned": 80, "still_out": 95}
    assert starts({**row, "deducted": interval_cell(78, 83)}, sums)["to_return"] == 78
    assert starts({**row, "deducted": rounded_cell(78, 5)}, sums)["to_return"] == 78
    assert starts({**row, "returned": FEW}, sums)["still_out"] == 80
    assert starts({**row, "returned": WAITING}, sums)["still_out"] == 80
