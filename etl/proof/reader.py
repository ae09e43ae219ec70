"""Faults of a release that can be found from published figures alone, without any confidential one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from etl.exchange.release import NOTHING, Release, Status, Structure, cell_id
from etl.proof.attacker import Attacker, explore, propagate
from etl.proof.history import place, reader_of
from etl.proof.tables import Range, System

#: More values than any threshold asks for.
UNBOUNDED = 10**9


def public_values(system: System, bounds: Sequence[Range]) -> list[int]:
    """How many values what is public anyway leaves of each count; `bounds` are those of all cells, known ones too."""
    known = [ends if cell.known else (0, None) for cell, ends in zip(system.cells, bounds, strict=True)]
    return [UNBOUNDED if high is None else high - low + 1 for low, high in propagate(system, known)]


def goals_of(attacker: Attacker, releases: Sequence[Release]) -> dict[int, int]:
    """The least number of values that each count of any release so far must have for a reader, by cell index.

    It is the threshold, or as many values as what is public anyway leaves. Once there is a closing release, there is no
    such number for counts that adding and subtracting the figures of their own release shows to be large.
    """
    rules, goals = {release.name: release for release in releases}, {}
    is_closed = any(release.closing for release in releases)
    values = public_values(attacker.system, attacker.bounds)
    sure = propagate(replace(attacker.system, links=()), attacker.bounds)
    for at, cell in enumerate(attacker.system.cells):
        release = rules[cell.id.split("/")[0]]
        if values[at] > 1 and not (is_closed and sure[at][0] > release.top(cell.row)):
            goals[at] = min(release.threshold(cell.row), values[at])
    return goals


def intervals_of(attacker: Attacker, release: Release) -> Iterator[tuple[int, Range]]:
    """Each figure of a release that is published as an interval: its cell index, and the ends that must be reached.

    Where the figure's rounding interval is narrower, its ends are.
    """
    for table in release.tables:
        for (row, name), cell in table.cells.items():
            if cell.status is Status.INTERVAL:
                at = attacker.system.at[place(release, cell_id(row, name))]
                yield at, attacker.bounds[at]


def readable(attacker: Attacker, releases: Sequence[Release]) -> list[str]:
    """Names of counts, of any release so far, of which a reader can rule out all but too few values.

    Raises ContradictionError if the figures contradict each other.
    """
    _, unmet = explore(attacker, goals_of(attacker, releases))
    return [attacker.system.cells[cell].id for cell in unmet]


def unreached(release: Release) -> list[str]:
    """Names of figures published as an interval of which a reader of this release alone can rule out an end."""
    attacker = reader_of([release], NOTHING)
    return [attacker.system.cells[at].id for at, ends in intervals_of(attacker, release) if attacker.infer(at) != ends]


def unsafe_reason(structure: Structure, release: Release, earlier: Sequence[Release] = ()) -> str:
    """What is wrong with a release, given those before it (oldest first); empty if nothing is.

    Its structure must be the campaign's, its figures must not contradict each other, both ends of its intervals must be
    possible, and no count may be inferred too closely.
    """
    if release.structure != structure:
        return "结构与本次工作的规则不同 / its structure is not the campaign's"
    releases = [*earlier, release]
    if any(_design(one) != _design(release) for one in earlier):
        return "此前的公布所用规则不同 / releases before it follow other rules"
    if sum(one.closing for one in releases) > 1:
        return "不止一次最终公布 / there is more than one closing release"
    attacker = reader_of(releases, release.assumed)
    try:
        found = readable(attacker, releases)
        wide = unreached(release)
    except ValueError as error:
        return f"公布的数字互相矛盾，或者无法核对 / {error}"
    if found:
        return f"可以推知 / can be inferred: {', '.join(found[:5])}"
    if wide:
        return f"区间过宽 / the interval is too wide: {', '.join(wide[:5])}"
    return ""


def _design(release: Release) -> tuple[object, ...]:
    return release.campaign, release.structure, release.k, dict(release.category_k), release.known
