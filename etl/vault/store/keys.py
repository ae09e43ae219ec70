"""One 32-byte master key held by the custodian (M18); every other secret is derived from it by HKDF, none is stored.

When the master key is replaced, the encrypted record keeps the earlier ones, so that passwords of workbooks that were
handed out and fingerprints of files and rows stay the same.
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from etl.findings import FuxueError

KEY_BYTES = 32
#: Without i, l, o, 0 and 1, which are easily confused on paper. 16 of these 31 characters carry 79 bits.
TYPEABLE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Keys:
    """All secrets of one home. `master` never appears in a repr, a log or an error.

    `retired` are earlier masters, oldest first. `issues`: by issue, the number of the master (from 0) that it used.
    """

    master: bytes = field(repr=False)
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    issues: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> int:
        """The number of the current master key: how many were replaced before."""
        return len(self.retired)

    def derive(self, purpose: str, number: int | None = None) -> bytes:
        """The 32-byte key for one purpose, such as ``file:vault`` (HKDF, RFC 5869), from master `number`.

        `number` None means the current master.
        """
        return _derive((*self.retired, self.master)[self.number if number is None else number], purpose)

    def password(self, issue: str, unit: str, number: int | None = None) -> str:
        """The password of a unit's workbook in an issue, such as ``k7mp-3xqd-…``.

        It is derived from the master that the issue used, or from master `number` if that is given.
        """
        number = self.issues.get(issue, self.number) if number is None else number
        return self._typeable(f"workbook:{issue}:{unit}", number)

    def passwords(self, issue: str, unit: str) -> list[str]:
        """The password under the current master and under each earlier one, newest first.

        For documents of the bureau, which belong to no issue on record.
        """
        return [self.password(issue, unit, number) for number in range(self.number, -1, -1)]

    def demo_password(self, account: str) -> str:
        """The password of a demo's staff account."""
        return self._typeable(f"demo-account:{account}", 0)

    def _typeable(self, purpose: str, key: int) -> str:
        number = int.from_bytes(self.derive(purpose, key))
        characters = []
        for _ in range(16):
            number, index = divmod(number, len(TYPEABLE))
            characters.append(TYPEABLE[index])
        return "-".join("".join(characters[i : i + 4]) for i in range(0, 16, 4))

    def mac(self, purpose: str, data: bytes, number: int = 0) -> bytes:
        """HMAC-SHA256 under the purpose's own key. Data about a person is never hashed without a key.

        By default the key comes from the first master, so that replacing the master does not change the result.
        """
        return hmac.digest(self.derive(f"mac:{purpose}", number), data, "sha256")


@lru_cache(maxsize=4096)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"fuxue/{purpose}".encode()).derive(master)


def read_key(path: Path) -> Keys:
    """Read the master key from its file. FuxueError unless it has exactly 32 bytes and only its owner may read it."""
    try:
        mode = path.stat().st_mode
        master = path.read_bytes()
    except OSError:
        raise FuxueError("key.missing", file=path) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise FuxueError("key.open_to_others", file=path)
    if len(master) != KEY_BYTES:
        raise FuxueError("key.wrong_size", file=path)
    return Keys(master)


def new_key(path: Path, master: bytes | None = None) -> Keys:
    """Write a new master key (`master`, else random) with mode 0600. FuxueError if the file exists."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FuxueError("key.exists", file=path) from None
    except OSError:
        raise FuxueError("key.cannot_write", file=path) from None
    with os.fdopen(handle, "wb") as out:
        out.write(master or secrets.token_bytes(KEY_BYTES))
        out.flush()
        os.fsync(out.fileno())
    return read_key(path)


def demo_master(seed: int) -> bytes:
    """The master key of a demo, derived from its seed so that its output is reproducible. Never for real data."""
    return hashlib.sha256(f"fuxue demo {seed}".encode()).digest()
