"""A home with scope files of made-up people for the staff tests; and accounts as the command line makes them."""

import random
from pathlib import Path

from etl.rulebook.campaign import Campaign, load_campaign
from etl.synthetic.fill import made_up_name
from etl.system.home import Home
from etl.vault.store.files import connect, numbers_key, numbers_path, scope_key, scope_names
from etl.vault.store.keys import Keys, demo_master, new_key
from plugins.accounts import add_account

ROOT = Path(__file__).resolve().parents[2]


OWN, OTHER, BUREAU = "xianyuwan", "laohutun", "bureau"


#: Unique names, one child a unit, and further children without significance.
CHILD = {OWN: "甄自己", OTHER: "贾别处"}


TEAM = {OWN: "公输甲", OTHER: "公输乙"}


CLERK, CHIEF, STRANGER = "clerk", "chief", "stranger"


PASSWORD = "correct-horse-staple"


NUMBER = "21028120050607123X"


#: What no stranger may read anywhere.
SECRETS = (*CHILD.values(), *TEAM.values(), OWN, OTHER, "仙浴湾", "老虎屯", "children", "workbooks", "findings")


def make_home(root: Path) -> tuple[Home, Keys]:
    home = Home(root)
    home.prepare()
    keys = new_key(home.demo_key, demo_master(7))
    for scope in (OWN, OTHER, BUREAU):
        fill_scope(home, keys, scope)
    return home, keys


def fill_scope(home: Home, keys: Keys, scope: str, extra: int = 60, *, name: str | None = None) -> None:
    """One scope's file as `build_scopes` makes it: written beside and put in place."""
    path = home.scopes / f".{scope}.new.db"
    connection = connect(path, scope_key(keys, scope), create=True)
    connection.executescript((ROOT / "etl/vault/store/scope.sql").read_text())
    for number, unit in enumerate([scope] if scope != BUREAU else CHILD, start=1):
        add = connection.execute
        for i in range(1, extra + 1):
            called = (name or CHILD.get(unit, "无名氏")) if i == 1 else made_up_name(random.Random(f"{unit}:{i}"))
            letter, label, back = (("K", "打工务农", "否"), ("B", "在校有学籍", "无"), (None, None, None))[i % 3]
            add(
                "INSERT INTO children VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(f"{number}{i:04}", "20190219-01", unit, called, "男" if i % 2 else "女", "210281********123X"),
                    *("2005-06-07", f"{unit}某村", letter, label, back, TEAM.get(unit, "公输丙") if letter else None),
                    "2019-02-19",
                ),
            )
        add(
            "INSERT INTO progress VALUES (?,?,?,?,?,?,?,?,?)",
            (unit, f"单位{number}", "已报送", extra, 40, 20, 20, 5, 15),
        )
        add(
            "INSERT INTO workbooks VALUES (?,?,?,?,?,?,?,?)",
            (number, unit, f"{unit}.xlsx", "2019-02-27", "accepted", 0, 1, 0),
        )
        add(
            "INSERT INTO findings VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                number,
                number,
                "warning",
                "不须",
                "M17",
                "附件4",
                "J7",
                "20190219-01",
                f"{number}0001",
                "15 周岁标为打工务农，请复核。",
            ),
        )
    connection.close()
    path.replace(home.scopes / f"{scope}.db")


def add_numbers(home: Home, keys: Keys) -> None:
    for scope in scope_names(home.scopes):
        serials = [f"1{at:04}" for at in range(1, 61)] if scope == OWN else ["10001"]
        path = numbers_path(home.scopes, scope)
        path.parent.mkdir(exist_ok=True)
        connection = connect(path, numbers_key(keys, scope), create=True)
        connection.executescript((ROOT / "etl/vault/store/numbers.sql").read_text())
        connection.executemany("INSERT INTO number VALUES ('20190219-01', ?, ?)", [(one, NUMBER) for one in serials])
        connection.close()


def add_accounts(home: Home, keys: Keys) -> None:
    add_account(home, keys, CLERK, OWN, PASSWORD)
    add_account(home, keys, STRANGER, OTHER, PASSWORD)
    add_account(home, keys, CHIEF, BUREAU, PASSWORD)


def wafangdian() -> Campaign:
    return load_campaign(ROOT / "campaign")


SHOWN = "210281 20050607 123X"


KEEPER = "keeper"
