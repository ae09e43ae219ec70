"""The manifest: a hidden sheet with a workbook's form, issue, unit and serials, signed with the bureau's key (M8)."""

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Mac = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Manifest:
    """What a workbook was issued as. `serials` are in the order issued; `mac` is the signature, in hex."""

    form: str
    issue: str
    unit: str
    serials: tuple[str, ...]
    mac: str = ""

    def _body(self) -> bytes:
        return json.dumps([self.form, self.issue, self.unit, self.serials], ensure_ascii=False).encode()

    def signed(self, mac: Mac) -> "Manifest":
        """A signed copy. `mac` computes the keyed digest of bytes."""
        return Manifest(self.form, self.issue, self.unit, self.serials, mac(self._body()).hex())

    def is_genuine(self, mac: Mac) -> bool:
        """True if the signature was made with the bureau's key."""
        # Compared as bytes: `compare_digest` rejects text that is not ASCII, and this text comes from the sender.
        return hmac.compare_digest(self.mac.encode(), mac(self._body()).hex().encode())

    def rows(self) -> list[list[str]]:
        """The cells of the hidden sheet, row by row."""
        return [["form", self.form], ["issue", self.issue], ["unit", self.unit], ["mac", self.mac]] + [
            ["serial", serial] for serial in self.serials
        ]


def parse_manifest(rows: Sequence[Sequence[object]]) -> Manifest | None:
    """The manifest that a sheet's cells hold, or None if they hold none."""
    pairs = [(str(row[0]), str(row[1])) for row in rows if len(row) >= 2]
    values = {key: value for key, value in pairs if key != "serial"}
    if not {"form", "issue", "unit", "mac"} <= set(values):
        return None
    serials = tuple(value for key, value in pairs if key == "serial")
    return Manifest(values["form"], values["issue"], values["unit"], serials, values["mac"])
