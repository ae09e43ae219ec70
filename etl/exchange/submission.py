"""A returned workbook as read: cells with their addresses, made by `read`, eaten by `check` and the vault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from etl.forms.manifest import Manifest


@dataclass(frozen=True)
class Problem:
    """Something that reading ran into: a rule's id, a place, parameters of its message (never personal)."""

    rule: str
    sheet: str = ""
    cell: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


class Value(NamedTuple):
    """A cell: its text as shown, its address, and what it is if it is not text.

    `is_other` is an error value, a truth value, a date or a time; `is_date` a date alone.
    """

    text: str
    cell: str
    is_number: bool = False
    is_formula: bool = False
    is_other: bool = False
    is_date: bool = False

    def __repr__(self) -> str:
        """The place alone: what stands there may be a name."""
        return f"Value(cell={self.cell!r})"


class Row(Mapping[str, Value]):
    """A row of the table: its cells by column key.

    Kept as texts, since a province's workbooks have a million cells and nearly all are nothing else; `others` are the
    rest by key. `letters` are the sheet's columns by key, `number` is the row.
    """

    __slots__ = ("letters", "number", "others", "texts")

    def __init__(
        self, letters: Mapping[str, str], number: int, texts: Sequence[str], others: Mapping[str, Value]
    ) -> None:
        self.letters, self.number, self.others = letters, number, others
        self.texts = dict(zip(letters, texts, strict=True))

    @property
    def texts_alone(self) -> Mapping[str, str] | None:
        """The texts by column key, None if a cell is anything else."""
        return None if self.others else self.texts

    def __getitem__(self, key: str) -> Value:
        """The cell of a column."""
        return self.others.get(key) or Value(self.texts[key], f"{self.letters[key]}{self.number}")

    def __iter__(self) -> Iterator[str]:
        """The columns' keys."""
        return iter(self.letters)

    def __len__(self) -> int:
        """So many columns."""
        return len(self.letters)

    def __repr__(self) -> str:
        """The place alone: what stands there may be a name."""
        return f"Row({self.number})"


@dataclass(frozen=True)
class Figure:
    """A cell of 附件5: its whole number, None if it holds none (a formula that nobody calculated, a word)."""

    number: int | None
    cell: str


@dataclass(frozen=True)
class Summary:
    """The 附件5 in a workbook: every row of figures by column key."""

    sheet: str
    rows: tuple[Mapping[str, Figure], ...]


@dataclass(frozen=True)
class Submission:
    """What a returned workbook holds. With an error among `problems` the rest may be empty.

    `opened_by` is the index of the candidate whose password opened it, None if it came unsealed.
    """

    sheet: str = ""
    rows: tuple[Mapping[str, Value], ...] = ()
    footer: Mapping[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    summary: Summary | None = None
    opened_by: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An issue and unit that a returned workbook may belong to, with the password that would open it."""

    issue: str
    unit: str
    password: str = field(repr=False)
