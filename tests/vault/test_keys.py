"""Keys: what is derived from them, and where no file of a key can be made."""

from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.vault.store.keys import TYPEABLE, Keys, demo_master, new_key


def test_a_demos_account_has_a_password_that_follows_from_its_name_and_seed_alone() -> None:
    keys, other = Keys(demo_master(1)), Keys(demo_master(2))
    made = {one.demo_password(account) for one in (keys, other) for account in ("bureau", "xiling")}
    assert len(made) == 4
    assert all(set(password) <= {*TYPEABLE, "-"} and len(password) == 19 for password in made)
    later = Keys(other.master, retired=(keys.master,))
    assert later.demo_password("bureau") == keys.demo_password("bureau") != keys.password("bureau", "bureau")


def test_a_key_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "master.key"
    with pytest.raises(FuxueError, match=r"key\.cannot_write") as caught:
        new_key(file)
    assert caught.value.params["file"] == file
    assert list(tmp_path.iterdir()) == []
