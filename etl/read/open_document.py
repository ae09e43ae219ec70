"""One pass over an OpenDocument sheet's content: formulas, error values, and what repetition would unfold to."""

from etl.exchange.submission import Problem
from etl.read.marks import MOST_COLUMNS, Marks, Refused, too_large
from etl.read.sheet_xml import local, parse_xml

CELLS = ("table-cell", "covered-table-cell")
#: Sheets that fetch what they hold.
LINKED = ("dde-link", "dde-source", "table-source", "cell-range-source")


def scan_content(xml: bytes, rows: int) -> dict[str, Marks]:
    """The marks of each sheet by name; Refused beyond so many rows, if it is no XML, or if it fetches."""
    scan = _Scan(rows)
    parse_xml(xml, scan.start)
    return scan.sheets


class _Scan:
    """Rows and cells may say that they are repeated: (row, column) is where the repetition begins."""

    def __init__(self, rows: int) -> None:
        self.limit = rows
        self.sheets: dict[str, Marks] = {}
        self.marks = Marks()
        self.row = self.column = 1
        self.rows = self.columns = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        given = {local(key): value for key, value in attributes.items()}
        if name in LINKED:
            raise Refused(Problem("F06"))
        if name == "table":
            self._table(given.get("name", ""))
        elif name == "table-row":
            self.row += self.rows
            self.rows, self.column, self.columns = int(given.get("number-rows-repeated", 1)), 1, 0
        elif name in CELLS:
            # `office:value-type` calls an error a string; LibreOffice's own `calcext:value-type` tells.
            self._cell(given, is_error=any(local(key) == "value-type" and value == "error"
                                           for key, value in attributes.items()))  # fmt: skip
        elif name == "p":
            self._bound()

    def _table(self, name: str) -> None:
        if name in self.sheets:
            raise Refused(Problem("F01"))
        self.marks = self.sheets[name] = Marks()
        self.row = self.column = 1
        self.rows = self.columns = 0

    def _cell(self, given: dict[str, str], *, is_error: bool) -> None:
        self.column += self.columns
        self.columns = int(given.get("number-columns-repeated", 1))
        is_formula = "formula" in given
        if is_formula or is_error or "value-type" in given:
            self._bound()
        if is_formula or is_error:
            area = Marks()
            area.fill(self.row, self.column, self.row + self.rows - 1, self.column + self.columns - 1, self.limit)
            self.marks.formulas |= area.formulas if is_formula else set()
            self.marks.errors |= area.formulas if is_error else set()

    def _bound(self) -> None:
        """A value here: its whole repetition must lie within the form's bounds."""
        if self.row + self.rows - 1 > self.limit or self.column + self.columns - 1 > MOST_COLUMNS:
            raise too_large(self.limit)
