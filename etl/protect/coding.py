"""The closing table: for each printed figure, whether it is exact or in which interval it is published.

Counts up to `top` are always published as the interval from 0 to `top`. Other figures are exact as far as the room rule
(`room.py`) allows in every sum: over the units of an area, and over the categories of a measure. Within a row, a sum is
exact only if what it does not share with the figures inside it is surely not small. All this is decided by published
figures alone, so that other tables that fit them would have been published in the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from etl.exchange.release import CITY, Structure, cell_id
from etl.proof.tables import reporting, states_of
from etl.protect.room import Span, Summand, make_exact, room_for, total_of
from etl.rulebook.publication import UNREPORTED, Publication

States = frozenset[str]


@dataclass(frozen=True)
class CodingTask:
    """All true counts of a day, and what limits how they may be published.

    `values` are the counts by cell id, `printed` the measures by kind of row. `bounds` are what readers know of a cell
    anyway, by cell id. `coarse` says how much wider intervals are, and how much more room sums need: by measure for
    the categories of that measure, by `CITY` for all else. Of the rows `opaque` nothing but `bounds` is published.
    """

    structure: Structure
    publication: Publication
    values: Mapping[str, int]
    reported: Mapping[str, bool]
    printed: Mapping[str, Sequence[str]]
    bounds: Mapping[str, Span] = field(default_factory=dict)
    coarse: dict[str, int] = field(default_factory=dict)
    opaque: Collection[str] = ()


def code_table(table: CodingTask) -> dict[str, Span]:
    """The span in which each printed figure is published, by cell id; equal ends for an exact figure.

    Figures of units that have not reported, and of areas without any that has, are left out.
    """
    coding = _Coding(table)
    for states in coding.core:
        coding.code_measure(states)
    for area in coding.areas:
        coding.code_pieces(area)
    return {**coding.rows(), **coding.categories()}


class _Coding:
    """The spans decided so far, by row and measure.

    A measure is the set of a reported unit's states that it counts: before a unit has reported, nothing of it is shown.
    """

    def __init__(self, table: CodingTask) -> None:
        """Nothing is decided yet."""
        self.table = table
        self.states = reporting(table.structure, table.reported)
        self.areas = [area for area in table.structure.areas if True in self.states[area]]
        self.core = self._measures("unit")
        self.spans: dict[tuple[str, States], Span] = {}
        self.known = [name.split(".")[1] for name in table.publication.known]

    def _counted(self, measure: str) -> States:
        return states_of(self.table.structure, measure) - {UNREPORTED}

    def _measures(self, kind: str) -> list[States]:
        """The measures that a kind of row prints, inner ones first."""
        found = {self._counted(name) for name in self.table.printed.get(kind, ())} - {States()}
        return sorted(found, key=lambda one: (len(one), sorted(one)))

    def _kind(self, row: str) -> str:
        return "city" if row == CITY else "area" if row in self.table.structure.areas else "unit"

    def _value(self, row: str, states: States) -> int:
        return sum(self.table.values[cell_id(row, state)] for state in states)

    def _inside(self, states: States) -> list[States]:
        """The greatest measures of units inside a measure."""
        within = [one for one in self.core if one < states]
        return [one for one in within if not any(one < other for other in within)]

    def _parts_of(self, area: str) -> list[str]:
        return [part for part in self.table.structure.areas[area] if True in self.states[part]]

    # One measure of units, in every row

    def code_measure(self, states: States) -> None:
        """Decide a measure for the city, its areas and all units that have reported."""
        inside = self._inside(states)
        if frozenset().union(*inside) == states:
            for row in (*self.areas, *(unit for unit, is_in in self.table.reported.items() if is_in)):
                self.spans[row, states] = _added([self.spans[row, one] for one in inside])
            return
        parts: dict[str, Summand] = {}
        self._collect(CITY, states, parts)
        self.spans[CITY, states] = self._city(states, parts[CITY])
        self._descend(CITY, states, parts)

    def _collect(self, row: str, states: States, parts: dict[str, Summand]) -> None:
        """Add the part that a row is of the sum above it to `parts`, after those below it."""
        inside = [self.spans[row, one] for one in self._inside(states)]
        base, wide = sum(low for low, _ in inside), sum(high - low for low, high in inside)
        known = self._bound(row, states)
        own, floor = self._part(row, CITY, self._value(row, states), known, base, wide)
        if row in self.table.structure.areas:
            below = self._parts_of(row)
            for one in below:
                self._collect(one, states, parts)
            members = [parts[one] for one in below]
            if row not in self.table.opaque:
                own = total_of(own, base, floor, members, self._room(members, CITY))
        parts[row] = own

    def _part(
        self, row: str, column: str, value: int, known: Span | None, base: int = 0, wide: int = 0
    ) -> tuple[Summand, int]:
        """A figure in its interval, and the least value that may be exact, so that what it adds is surely not small.

        `known` is what readers know of it anyway; `base` is the least sum of the figures inside it, `wide` how far that
        sum can move.
        """
        if known and row in self.table.opaque:
            return Summand(row, value, *known, stays=True, known=known), known[1] + 1
        top = self.table.publication.top(row)
        floor = base + wide + top + 1
        if value < floor:
            # If the figures inside can hide all of a count of top + 1, smaller sums can be told apart from larger ones.
            cut = base + top if wide > top else floor - 1
            ends = (base, cut) if value <= cut else (cut + 1, floor - 1)
            return Summand(row, value, *ends, stays=True, known=known), floor
        step = (self.table.publication.k + 1) << (self.table.coarse.get(column, 0) // 2)
        low = value // step * step
        return Summand(row, value, max(low, floor), low + step - 1, stays=False, known=known), floor

    def _room(self, parts: Sequence[Summand], column: str) -> int:
        extra = self.table.publication.k * ((self.table.coarse.get(column, 0) + 1) // 2)
        insiders = column == CITY and self.table.publication.insiders
        return room_for(parts, max(self._tops(parts, column)), insiders=insiders, extra=extra)

    def _tops(self, parts: Sequence[Summand], column: str) -> list[int]:
        return [
            self.table.publication.top(column if column == CITY else part.name) for part in parts if part.stays
        ] or [0]

    def _bound(self, row: str, states: States) -> Span | None:
        """What readers know of a measure of a row anyway."""
        all_in = self.states.get(row) == {True}
        names = [
            name
            for name in self.table.printed.get(self._kind(row), ())
            if self._counted(name) == states and (all_in or UNREPORTED not in states_of(self.table.structure, name))
        ]
        found = [self.table.bounds[cell_id(row, name)] for name in names if cell_id(row, name) in self.table.bounds]
        return (max(low for low, _ in found), min(high for _, high in found)) if found else None

    def _city(self, states: States, part: Summand) -> Span:
        """The city's span of a measure: exact if it is public anyway, wider if it would betray the unverified."""
        span = (part.low, part.high) if part.stays else (part.value, part.value)
        for name in self.known:
            if self._counted(name) == states:
                if UNREPORTED not in states_of(self.table.structure, name) or self.states[CITY] == {True}:
                    return part.value, part.value
                total, top = self.table.values[cell_id(CITY, name)], self.table.publication.top(CITY)
                if total - part.value <= top:
                    span = min(span[0], max(total - top, 0)), max(span[1], total)
        return span

    def _descend(self, area: str, states: States, parts: Mapping[str, Summand]) -> None:
        below = [parts[one] for one in self._parts_of(area)]
        total = _both(self.spans[area, states], self._bound(area, states))
        insiders = self.table.publication.insiders
        found = make_exact(total, below, self._room(below, CITY), insiders=insiders)
        for part in below:
            self.spans[part.name, states] = found[part.name]
            if part.name in self.table.structure.areas:
                self._descend(part.name, states, parts)

    # Other measures of areas, and the categories

    def code_pieces(self, area: str) -> None:
        """Decide what an area prints beyond the measures of units: the pieces into which it divides these."""
        outer = frozenset(self.table.structure.states) - {UNREPORTED}
        for block_of in (*self.core, outer):
            inside = self._inside(block_of)
            block = block_of - frozenset().union(*inside)
            signs: dict[tuple[bool, ...], set[str]] = {}
            for state in sorted(block):
                signs.setdefault(tuple(state in one for one in self._measures(self._kind(area))), set()).add(state)
            pieces = [frozenset(piece) for piece in signs.values()]
            total = self._less(area, block_of, inside)
            if len(pieces) == 1 and total:
                self.spans[area, pieces[0]] = total
            else:
                self._divide(area, pieces, total)

    def _less(self, area: str, whole: States, inside: Sequence[States]) -> Span | None:
        """The span of a measure without the measures inside it; None if no unit prints it."""
        if (area, whole) not in self.spans:
            return None
        low, high = _added([self.spans[area, one] for one in inside])
        least, most = self.spans[area, whole]
        return max(least - high, 0), most - low

    def _divide(self, area: str, pieces: Sequence[States], total: Span | None) -> None:
        parts = [
            self._part(str(at), CITY, self._value(area, one), self._bound(area, one))[0]
            for at, one in enumerate(pieces)
        ]
        whole = sum(part.value for part in parts)
        room = room_for(parts, self.table.publication.top(area), insiders=False, extra=0) if total else 0
        found = make_exact(total or (whole, whole), parts, room, insiders=False)
        for at, one in enumerate(pieces):
            self.spans.setdefault((area, one), found[str(at)])

    def _span(self, area: str, states: States) -> Span:
        """The span of any measure that an area prints."""
        if (area, states) in self.spans:
            return self.spans[area, states]
        inner = [one for row, one in self.spans if row == area and one < states]
        return _added([self.spans[area, one] for one in inner if not any(one < other for other in inner)])

    def categories(self) -> dict[str, Span]:
        """The spans of all categories, by cell id."""
        found: dict[str, Span] = {}
        for measure, codes in self.table.structure.categories.items() if self.areas else ():
            cells = {code: cell_id(code, "verified") for code in codes}
            parts = [
                self._part(code, measure, self.table.values[cell], self.table.bounds.get(cell))[0]
                for code, cell in cells.items()
            ]
            counted = self._counted(measure)
            total = _both(self._span(CITY, counted), self._bound(CITY, counted))
            spans = make_exact(total, parts, self._room(parts, measure), insiders=False)
            found |= {cells[code]: span for code, span in spans.items()}
        return found

    def rows(self) -> dict[str, Span]:
        """The spans of all printed figures of the city, its areas and the units, by cell id."""
        rows = [*self.areas, *(unit for unit, is_in in self.table.reported.items() if is_in)]
        found = {
            cell_id(row, name): self._printed(row, name)
            for row in rows
            for name in self.table.printed.get(self._kind(row), ())
        }
        opaque = {cell: span for cell, span in self.table.bounds.items() if cell.partition(".")[0] in self.table.opaque}
        return {cell: opaque.get(cell, span) for cell, span in found.items()}

    def _printed(self, row: str, measure: str) -> Span:
        counted = self._counted(measure)
        low, high = self._span(row, counted) if counted else (0, 0)
        if UNREPORTED not in states_of(self.table.structure, measure) or self.states[row] == {True}:
            return low, high
        value, top = self.table.values[cell_id(row, UNREPORTED)], self.table.publication.top(row)
        for name in self.known if row == CITY else ():
            if self._counted(name) and UNREPORTED in states_of(self.table.structure, name):
                total, (least, most) = self.table.values[cell_id(CITY, name)], self._span(CITY, self._counted(name))
                return max(total - most, 0) + low, total - least + high
        return (low, high + top) if value <= top else (low + value, high + value)


def _added(spans: Sequence[Span]) -> Span:
    return sum(low for low, _ in spans), sum(high for _, high in spans)


def _both(span: Span, known: Span | None) -> Span:
    """The values that lie in a published span and within what readers know anyway."""
    return (max(span[0], known[0]), min(span[1], known[1])) if known else span
