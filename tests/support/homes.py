"""Homes of made-up people: where they stand, and runs in them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from etl.rulebook.campaign import Campaign
from etl.rulebook.limits import Limits
from etl.system.home import Home
from etl.vault.store.keys import read_key
from etl.workflow.run import Run

ROOT = Path(__file__).resolve().parents[2]


SEED = 7


CHILDREN = 45


#: Links of the record of the full home (`full_once`), and its staff accounts.
FULL, ACCOUNTS = 9, ("bureau", "xiling")


def silent_bar(title: str, total: int) -> Callable[[], None]:
    return lambda: None


def at_due(root: Path, campaign: Campaign, folder: Path) -> Run:
    """A run in a home on the day when reports are due."""
    home = Home(root)
    return Run(home, folder, campaign, read_key(home.demo_key), campaign.reports_due, silent_bar)


def put_in_place(run: Run, made: Path) -> Run:
    """The run's home replaced by a copy of one that was made before."""
    shutil.rmtree(run.home.root)
    shutil.copytree(made, run.home.root)
    return run


def with_limits_of(limits: Limits, **changed: int) -> Limits:
    """The limits, some of them changed."""
    return replace(limits, **changed)  # type: ignore[arg-type]
