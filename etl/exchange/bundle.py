"""What one receiver is handed in one issue: a form with its issued rows; eaten by issue and check alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.exchange.child import Child
from etl.forms.definitions import ANNEX4, Form


@dataclass(frozen=True)
class Bundle:
    """One workbook's content. `recipient` is a slug, `name` how it is printed.

    `rows` give the text of every issued column by key, in the order handed out.
    """

    form: Form
    issue: str
    recipient: str
    name: str
    rows: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    @property
    def file(self) -> str:
        """The workbook's file name: 附件4 under the unit's slug alone, other forms under their own name besides."""
        return f"{self.recipient}.xlsx" if self.form == ANNEX4 else f"{self.recipient}-{self.form.key}.xlsx"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows, such as 原始序号."""
        return tuple(row[self.form.row_key] for row in self.rows)


def child_row(child: Child) -> Mapping[str, str]:
    """The issued columns of 附件4 of one child."""
    return {column.key: getattr(child, column.key) for column in ANNEX4.issued}
