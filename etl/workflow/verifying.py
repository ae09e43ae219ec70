"""Verifying a release as any citizen can, and comparing it with the campaign and its rules."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from etl.exchange.release import CITY, Release, earlier_releases, read_release
from etl.exchange.release_folder import SUMS, verifiers
from etl.findings import FuxueError
from etl.proof import verify_release as citizen
from etl.proof.reader import unsafe_reason
from etl.proof.tables import structure_of
from etl.rulebook.campaign import Campaign


def verify_release_folder(campaign: Campaign, folder: Path) -> Release:
    """Check a release folder and return the release. FuxueError says what is wrong, also if it is no such folder.

    First the program that goes with each release checks seal and proof. Then campaign, rules and day are compared, and
    it is checked that no count can be inferred.
    """
    if not any((folder / name).exists() for name in ("release.json", SUMS)):
        raise FuxueError("verify.no_release", folder=folder)
    found = read_release(folder)
    try:
        citizen.check(folder, verifiers())
    except citizen.Failed as failed:
        raise FuxueError("verify.bad", folder=folder, reason=str(failed), code=3) from failed
    for what, stated, own in _rules(campaign, found):
        if stated != own:
            raise FuxueError("verify.rules", folder=folder, what=what, stated=stated, own=own, code=3)
    if found.assumed not in campaign.publication.assumptions:
        raise FuxueError("verify.assumed", folder=folder, assumed=found.assumed.key, code=3)
    if not campaign.noticed <= found.as_of <= dt.date.today():
        raise FuxueError("verify.day", folder=folder, as_of=found.as_of, first=campaign.noticed, code=3)
    if reason := unsafe_reason(structure_of(campaign), found, earlier_releases(folder.parent, found)):
        raise FuxueError("verify.bad", folder=folder, reason=reason, code=3)
    return found


def _rules(campaign: Campaign, found: Release) -> Iterator[tuple[str, object, object]]:
    """(name, value in the release, value in the campaign) of everything that must be equal."""
    rules = campaign.publication
    yield "campaign", found.campaign, campaign.id
    yield "k", found.k, rules.k
    yield "category_k", dict(found.category_k), dict(rules.category_k)
    yield "known", list(found.known), list(rules.known)
    stated, own = asdict(found.structure), asdict(structure_of(campaign))
    yield from ((part, stated[part], own[part]) for part in own)
    tables = [(t.key, t.kind, t.measures, t.title, t.title_en) for t in found.tables]
    yield "tables", tables, [(t.key, t.rows, t.measures, t.title, t.title_en) for t in rules.tables]
    rows = {"city": [CITY], "unit": [*campaign.unit], "category": [*campaign.category]}
    rows["area"] = [area.key for area in rules.areas]
    for table in found.tables:
        yield f"tables.{table.key}", list(table.rows), rows[table.kind]
