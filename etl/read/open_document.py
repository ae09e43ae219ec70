"""Scanning OpenDocument content for formulas, error values, external data, and repetitions that are too large."""

from etl.exchange.submission import Problem
from etl.read.marks import MOST_COLUMNS, Marks, Refused, too_large
from etl.read.sheet_xml import local, parse_xml

CELLS = ("table-cell", "covered-table-cell")
#: Elements that fetch data from elsewhere.
LINKED = ("dde-link", "dde-source", "table-source", "cell-range-source")


def scan_content(xml: bytes, rows: int) -> dict[str, Marks]:
    """The marks of each sheet, by name. Refused if there are more than `rows` rows, external data, or no valid XML."""
    scan = _Scan(rows)
    parse_xml(xml, scan.start)
    return scan.sheets


class _Scan:
    """Handles the elements. A row or cell may be repeated: `row` and `column` are where the repetition begins."""

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
            # `office:value-type` says string for an error; LibreOffice's own `calcext:value-type` says error.
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
        """Called for a cell with a value: Refused if its repetition goes beyond the limits of rows or columns."""
        if self.row + self.rows - 1 > self.limit or self.column + self.columns - 1 > MOST_COLUMNS:
            raise too_large(self.limit)
