"""Faults of a release that can be found from published figures alone, without any confidential one."""

from collections.abc import Iterator, Mapping, Sequence

from etl.exchange.release import Release, Status, Structure, cell_id
from etl.proof.attacker import Attacker, explore, free, infer_ranges, wide
from etl.proof.history import place, reader_of
from etl.proof.tables import Range


def withheld(release: Release) -> list[str]:
    """The ids of the cells that a release withholds, sorted."""
    return sorted(
        {
            cell_id(row, name)
            for table in release.tables
            for (row, name), cell in table.cells.items()
            if cell.status is Status.SUPPRESSED
        }
    )


def ranges_of(attacker: Attacker, release: Release) -> dict[str, Range]:
    """The feasibility interval of each cell that a release withholds, by cell id."""
    names = {place(release, cell): cell for cell in withheld(release)}
    inferred = infer_ranges(attacker, (attacker.system.at[name] for name in names))
    return {names[name]: ends for name, ends in inferred.items()}


def goals_of(attacker: Attacker, releases: Sequence[Release]) -> dict[int, int]:
    """The threshold of each count of any release so far that a reader must not infer, by cell index."""
    last = releases[-1]
    return {at: last.threshold(cell.row) for at, cell in enumerate(attacker.system.cells) if not cell.known}


def closing_groups(attacker: Attacker, releases: Sequence[Release]) -> Iterator[tuple[int, int]]:
    """Each (whole, part) of closing releases, by index: the whole must not be seen to fall entirely into the part."""
    closing = {release.name for release in releases if release.closing}
    for whole, parts in attacker.system.groups:
        if attacker.system.cells[whole].id.split("/")[0] in closing:
            yield from ((whole, part) for part in parts)


def readable(attacker: Attacker, releases: Sequence[Release]) -> list[str]:
    """Names of counts (of any release so far) that a reader can infer too closely, and of one-sided groups.

    Before the close every count must have at least k possible values; at the close none may be known to lie within
    1 … k-1. Raises ValueError if the figures contradict each other.
    """
    names = [cell.id for cell in attacker.system.cells]
    tables, unmet = explore(attacker, goals_of(attacker, releases), free if releases[-1].closing else wide)
    found = [names[cell] for cell in unmet]
    for whole, part in closing_groups(attacker, releases):
        if all(0 < table[whole] == table[part] for table in tables) and not _divided(attacker, whole, part):
            found.append(f"all of {names[whole]} are {names[part]}")
    return found


def _divided(attacker: Attacker, whole: int, part: int) -> bool:
    """Whether it is possible for a reader that the whole is empty, or that not all of it is in the part."""
    return attacker.infer(whole)[0] == 0 or attacker.infer_difference(whole, part)[1] != 0


def unsafe_reason(structure: Structure, release: Release, earlier: Sequence[Release] = ()) -> str:
    """What is wrong with a release, given those before it (oldest first); empty if nothing is.

    Its structure must be the campaign's, its figures must not contradict each other, audit.json must hold the ranges
    that a reader infers, and no small count may be inferred.
    """
    if release.structure != structure:
        return "结构与本次工作的规则不同 / its structure is not the campaign's"
    releases = [*earlier, release]
    if any(_design(one) != _design(release) for one in earlier):
        return "此前的公布所用规则不同 / releases before it follow other rules"
    attacker = reader_of(releases, release.assumed)
    try:
        found = readable(attacker, releases)
        ranges: Mapping[str, Range] = ranges_of(attacker, release)
    except ValueError as error:
        return f"公布的数字互相矛盾 / {error}"
    if found:
        return f"可以推知 / can be inferred: {', '.join(found[:5])}"
    if ranges != dict(release.ranges):
        return "audit.json 与读者能推知的不符 / audit.json does not hold what a reader can infer"
    return ""


def _design(release: Release) -> tuple[object, ...]:
    return release.campaign, release.structure, release.k, dict(release.category_k), release.known
