"""One 32-byte master key held by the custodian (M18); every other secret is derived from it by HKDF, none is stored.

Of a record whose master key was replaced, the encrypted record keeps the earlier ones: passwords of what was handed out
under them, and the marks by which it knows what it has seen, stay what they were.
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
#: No i, l, o, 0, 1: nothing that a clerk could mistype from paper. 16 of 31 signs carry 79 bits.
TYPEABLE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Keys:
    """All secrets of one home. `master` never appears in a repr, a log or an error.

    `retired` are earlier masters, oldest first; `issues` gives the number of the master, from 0, by issue.
    """

    master: bytes = field(repr=False)
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    issues: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> int:
        """The number of the master key, from 0; one more each time that it was replaced."""
        return len(self.retired)

    def derive(self, purpose: str, number: int | None = None) -> bytes:
        """32 bytes for one purpose, such as ``file:vault`` (RFC 5869), from the current master or an earlier one."""
        return _derive((*self.retired, self.master)[self.number if number is None else number], purpose)

    def password(self, issue: str, unit: str, number: int | None = None) -> str:
        """The password of a unit's workbook in an issue, such as ``k7mp-3xqd-…``, typeable and derived.

        From the master under which it was issued; a `number` asks for that of another.
        """
        number = self.issues.get(issue, self.number) if number is None else number
        return self._typeable(f"workbook:{issue}:{unit}", number)

    def passwords(self, issue: str, unit: str) -> list[str]:
        """What the password is, and what it was under earlier masters, newest first: for papers of no issue."""
        return [self.password(issue, unit, number) for number in range(self.number, -1, -1)]

    def demo_password(self, account: str) -> str:
        """The password of a demo's staff account."""
        return self._typeable(f"demo-account:{account}", 0)

    def _typeable(self, purpose: str, key: int) -> str:
        number = int.from_bytes(self.derive(purpose, key))
        signs = []
        for _ in range(16):
            number, index = divmod(number, len(TYPEABLE))
            signs.append(TYPEABLE[index])
        return "-".join("".join(signs[i : i + 4]) for i in range(0, 16, 4))

    def mac(self, purpose: str, data: bytes, number: int = 0) -> bytes:
        """HMAC-SHA256 under the purpose's own key: no unkeyed hash of anything about a person exists anywhere.

        Of the first master, so that what was marked under it is known again.
        """
        return hmac.digest(self.derive(f"mac:{purpose}", number), data, "sha256")


@lru_cache(maxsize=4096)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"fuxue/{purpose}".encode()).derive(master)


def read_key(path: Path) -> Keys:
    """The master key from its file: exactly 32 bytes, readable by its owner alone."""
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
    """Write a new random master key, 0600; an existing file is never overwritten."""
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
    """The demo's master key, derived from its seed so that its public folder is reproducible. Never for real data."""
    return hashlib.sha256(f"fuxue demo {seed}".encode()).digest()
