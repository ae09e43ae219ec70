"""The hidden sheet that says what a workbook is: form, issue, unit, serials, signed by the bureau's key (M8)."""

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Mac = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Manifest:
    """What was handed out. `serials` in the order issued."""

    form: str
    issue: str
    unit: str
    serials: tuple[str, ...]
    mac: str = ""

    def _body(self) -> bytes:
        return json.dumps([self.form, self.issue, self.unit, self.serials], ensure_ascii=False).encode()

    def signed(self, mac: Mac) -> "Manifest":
        """The same, signed."""
        return Manifest(self.form, self.issue, self.unit, self.serials, mac(self._body()).hex())

    def is_genuine(self, mac: Mac) -> bool:
        """True if the signature is the bureau's."""
        # As bytes: comparing text raises if it is not ASCII, and this text is the sender's.
        return hmac.compare_digest(self.mac.encode(), mac(self._body()).hex().encode())

    def rows(self) -> list[list[str]]:
        """Cells of the hidden sheet."""
        return [["form", self.form], ["issue", self.issue], ["unit", self.unit], ["mac", self.mac]] + [
            ["serial", serial] for serial in self.serials
        ]


def parse_manifest(rows: Sequence[Sequence[object]]) -> Manifest | None:
    """The manifest in a sheet's cells, or None if it is none."""
    pairs = [(str(row[0]), str(row[1])) for row in rows if len(row) >= 2]
    values = {key: value for key, value in pairs if key != "serial"}
    if not {"form", "issue", "unit", "mac"} <= set(values):
        return None
    serials = tuple(value for key, value in pairs if key == "serial")
    return Manifest(values["form"], values["issue"], values["unit"], serials, values["mac"])
