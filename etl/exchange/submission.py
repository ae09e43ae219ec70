"""A returned workbook as read: its cells with addresses; made by `read`, used by `check`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from etl.forms.manifest import Manifest


@dataclass(frozen=True)
class Problem:
    """A problem found by reading: the id of its rule, its place, and parameters of the message, never personal."""

    rule: str
    sheet: str = ""
    cell: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


class Value(NamedTuple):
    """A cell: its text, its address, and what it is if it is not text.

    `is_other` is set for error values, truth values, dates and times; `is_date` only for dates.
    """

    text: str
    cell: str
    is_number: bool = False
    is_formula: bool = False
    is_other: bool = False
    is_date: bool = False

    def __repr__(self) -> str:
        """Shows only the address, because the text may be a name."""
        return f"Value(cell={self.cell!r})"


class Row(Mapping[str, Value]):
    """A row of the table: a mapping from column key to cell (`Value`).

    To save memory, it keeps texts: of a province's million cells nearly all are plain text. If a cell is anything else,
    `others` has the row's cells by key. `letters` are the column letters by key; `number` is the row's, from 1.
    """

    __slots__ = ("letters", "number", "others", "texts")

    def __init__(
        self, letters: Mapping[str, str], number: int, texts: Sequence[str], others: Mapping[str, Value]
    ) -> None:
        self.letters, self.number, self.others = letters, number, others
        self.texts = dict(zip(letters, texts, strict=True))

    @property
    def texts_alone(self) -> Mapping[str, str] | None:
        """The texts by column key, or None if a cell may be anything but text."""
        return None if self.others else self.texts

    def __getitem__(self, key: str) -> Value:
        """The cell of a column."""
        return self.others.get(key) or Value(self.texts[key], f"{self.letters[key]}{self.number}")

    def __iter__(self) -> Iterator[str]:
        """The keys of the columns."""
        return iter(self.letters)

    def __len__(self) -> int:
        """The number of columns."""
        return len(self.letters)

    def __repr__(self) -> str:
        """Shows only the row's number, because the texts may be names."""
        return f"Row({self.number})"


@dataclass(frozen=True)
class Figure:
    """A cell of 附件5 with its whole number, or None for a text or a formula that was never calculated."""

    number: int | None
    cell: str


@dataclass(frozen=True)
class Summary:
    """The 附件5 in a workbook: its rows of figures, each by column key."""

    sheet: str
    rows: tuple[Mapping[str, Figure], ...]


@dataclass(frozen=True)
class CountyRow:
    """A row of a 附件5 that a place hands in: 地市, 区县 (empty in the row 总计), and its figures by column key."""

    city: str
    county: str
    figures: Mapping[str, Figure]
    is_total: bool


@dataclass(frozen=True)
class Submission:
    """The content of a returned workbook. If a problem is an error, all else may be empty.

    `summary` is its 附件5. `opened_by` is the index of the candidate whose password opened it; None if unencrypted.
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
    """An issue and unit to which a returned workbook may belong, with the password of their workbook."""

    issue: str
    unit: str
    password: str = field(repr=False)
