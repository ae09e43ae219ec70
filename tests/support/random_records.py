"""Records of made-up counties with drawn answers, written straight into the store: many at a time, for sums."""

import random
from pathlib import Path

from etl.rulebook.campaign import Campaign
from etl.synthetic.fill import made_up_name
from etl.system.home import Home
from etl.vault.store import chain
from etl.vault.store.keys import demo_master, new_key
from etl.workflow.run import Run
from tests.support.homes import silent_bar


def random_record(root: Path, campaign: Campaign, folder: Path, seed: int) -> Run:
    """A home whose units have one or two issues and none to three workbooks for each, some of them refused."""
    draw = random.Random(f"record:{seed}")
    home = Home(root)
    home.prepare()
    run = Run(home, folder, campaign, new_key(home.demo_key, demo_master(seed)), campaign.reports_due, silent_bar)
    with run.open_vault(create=True) as vault, vault.transaction() as db:
        workbook = 0
        for number in range(1, draw.choice((1, 1, 2)) + 1):
            issue, day = f"20200302-{number:02d}", campaign.noticed.isoformat()
            first = "20200302-01" if number > 1 else None
            db.execute("INSERT INTO issue VALUES (?, ?, 'annex4', ?, 0)", [issue, day, first])
            chain.append(vault, "issue", issue, campaign.noticed)
            for unit in campaign.unit:
                serials = [f"{number}{unit[0]}{at:03d}" for at in range(draw.choice((0, 1, 3, 12)))]
                db.execute("INSERT INTO bundle VALUES (?, ?, ?, x'00')", [issue, unit, len(serials)])
                db.executemany(
                    "INSERT INTO child VALUES (?, ?, ?, '省', '市', '县', ?, '男', ?, '某村')",
                    [(issue, one, unit, made_up_name(draw), f"{issue}{one}") for one in serials],
                )
                for _ in range(draw.randrange(4)):
                    workbook += 1
                    _workbook(db, campaign, draw, (workbook, issue, unit), serials)
                    chain.append(vault, "workbook", workbook, campaign.reports_due)
    return run


def _workbook(db, campaign, draw, key, serials) -> None:  # type: ignore[no-untyped-def]
    number, issue, unit = key
    status = draw.choice(("accepted", "accepted", "refused"))
    db.execute("INSERT INTO workbook VALUES (?, ?, ?, x'00', '2020-03-10', 1, ?)", [number, issue, unit, status])
    if status == "refused":
        return
    tally: dict[tuple[str, str], int] = {}
    for serial in serials:
        category = draw.choice(campaign.categories)
        returned = draw.choice("是否") if category.group == "to_return" else "无"
        db.execute(
            "INSERT INTO answer VALUES (?, ?, ?, ?, ?, '甲某')", [number, issue, serial, category.code, returned]
        )
        tally[category.code, returned] = tally.get((category.code, returned), 0) + 1
    db.executemany("INSERT INTO tally VALUES (?, ?, ?, ?)", [(number, *key, many) for key, many in tally.items()])
