"""What is wrong with a release by what a reader has alone: no confidential figure comes near."""

from collections.abc import Iterator, Mapping, Sequence

from etl.exchange.release import Release, Status, Structure, cell_id
from etl.proof.attacker import Attacker, explore, free, infer_ranges, wide
from etl.proof.history import place, reader_of
from etl.proof.tables import Range


def withheld(release: Release) -> list[str]:
    """The cells of a release that were told in no way, by id, in order."""
    return sorted(
        {
            cell_id(row, name)
            for table in release.tables
            for (row, name), cell in table.cells.items()
            if cell.status is Status.SUPPRESSED
        }
    )


def ranges_of(attacker: Attacker, release: Release) -> dict[str, Range]:
    """What a reader can infer of each cell that a release withholds."""
    names = {place(release, cell): cell for cell in withheld(release)}
    inferred = infer_ranges(attacker, (attacker.system.at[name] for name in names))
    return {names[name]: ends for name, ends in inferred.items()}


def goals_of(attacker: Attacker, releases: Sequence[Release]) -> dict[int, int]:
    """The threshold of every count that a reader must not tell, in any release so far, by its index."""
    last = releases[-1]
    return {at: last.threshold(cell.row) for at, cell in enumerate(attacker.system.cells) if not cell.known}


def closing_groups(attacker: Attacker, releases: Sequence[Release]) -> Iterator[tuple[int, int]]:
    """Each (whole, part) of which not all of the whole may be seen to be in the part: those of closing releases."""
    closing = {release.name for release in releases if release.closing}
    for whole, parts in attacker.system.groups:
        if attacker.system.cells[whole].id.split("/")[0] in closing:
            yield from ((whole, part) for part in parts)


def readable(attacker: Attacker, releases: Sequence[Release]) -> list[str]:
    """Counts, of any release so far, that a reader can tell too closely; groups that all are in one part.

    Before the close every count must have k values or more; at the close none may be known to lie within 1 … k-1.
    Raises ValueError if the figures contradict each other.
    """
    names = [cell.id for cell in attacker.system.cells]
    tables, unmet = explore(attacker, goals_of(attacker, releases), free if releases[-1].closing else wide)
    found = [names[cell] for cell in unmet]
    for whole, part in closing_groups(attacker, releases):
        if all(0 < table[whole] == table[part] for table in tables) and not _divided(attacker, whole, part):
            found.append(f"all of {names[whole]} are {names[part]}")
    return found


def _divided(attacker: Attacker, whole: int, part: int) -> bool:
    """Whether a reader must think it possible that a group is empty, or not all of it in one part."""
    return attacker.infer(whole)[0] == 0 or attacker.infer_difference(whole, part)[1] != 0


def unsafe_reason(structure: Structure, release: Release, earlier: Sequence[Release] = ()) -> str:
    """What is wrong with a release, from what it and those before it tell; empty if nothing is.

    Its figures must hang together as the campaign's do, every equation be solvable, the ranges on file be those that a
    reader infers, and nothing be readable.
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
