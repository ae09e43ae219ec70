"""The content of one workbook as handed out; used by `issue` to write it and by `check` to compare it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.exchange.child import Child
from etl.forms.definitions import ANNEX4, Form


@dataclass(frozen=True)
class Bundle:
    """One recipient's rows of one form in one issue. `recipient` is a slug, `name` its printed name.

    `rows` are in the order handed out, each with the text of every issued column by key.
    """

    form: Form
    issue: str
    recipient: str
    name: str
    rows: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    @property
    def file(self) -> str:
        """The workbook's file name: the recipient's slug, and for forms other than 附件4 also the form's key."""
        return f"{self.recipient}.xlsx" if self.form == ANNEX4 else f"{self.recipient}-{self.form.key}.xlsx"

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each row, such as its 原始序号."""
        return tuple(row[self.form.row_key] for row in self.rows)


def child_row(child: Child) -> Mapping[str, str]:
    """A child's row of 附件4: the text of every issued column by key."""
    return {column.key: getattr(child, column.key) for column in ANNEX4.issued}
