"""Tables so small that an attacker can try them all."""

from pathlib import Path

from etl.exchange.counts import Counts
from etl.rulebook.campaign import Campaign
from tests.support import naive
from tests.support.attacks import secrets_of
from tests.support.small_counts import make_campaign

SECRET = b"a secret of the tests"


K = 3


Rows = list[tuple[int, int, int, int]]


def tiny(campaign: Campaign, units: int) -> Campaign:
    return make_campaign(campaign, units, codes="ABIK", k=K)


def small(few: Campaign, counts: Counts, folder: Path) -> dict[str, int]:
    """Small counts by the names that a stranger has for them."""
    names = {f"{folder.name}/{at}": value for at, value in naive.exact_values(few, counts).items()}
    return {name: names[name] for name in secrets_of([folder]) if 0 < names[name] < K}
