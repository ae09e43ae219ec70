"""A release is verified as anyone could: closed, proved, of this campaign and its rules."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from etl.exchange.release import CITY, Release, earlier_releases, read_release
from etl.exchange.release_folder import verifiers
from etl.findings import FuxueError
from etl.proof import verify_release as citizen
from etl.proof.reader import unsafe_reason
from etl.proof.tables import structure_of
from etl.rulebook.campaign import Campaign


def verify_release_folder(campaign: Campaign, folder: Path) -> Release:
    """Check a release folder: closed, proved, of this campaign and its rules, nothing withheld can be inferred.

    FuxueError says what fails. What the citizen's program refuses is not looked at any further.
    """
    found = read_release(folder)
    try:
        citizen.check(folder, verifiers())
    except citizen.Failed as failed:
        raise FuxueError("verify.bad", folder=folder, reason=str(failed), code=3) from failed
    for what, told, own in _rules(campaign, found):
        if told != own:
            raise FuxueError("verify.rules", folder=folder, what=what, told=told, own=own, code=3)
    if found.assumed not in campaign.publication.assumptions:
        raise FuxueError("verify.assumed", folder=folder, assumed=found.assumed.key, code=3)
    if not campaign.noticed <= found.as_of <= dt.date.today():
        raise FuxueError("verify.day", folder=folder, as_of=found.as_of, first=campaign.noticed, code=3)
    if reason := unsafe_reason(structure_of(campaign), found, earlier_releases(folder.parent, found)):
        raise FuxueError("verify.bad", folder=folder, reason=reason, code=3)
    return found


def _rules(campaign: Campaign, found: Release) -> Iterator[tuple[str, object, object]]:
    """What a release says of itself beside what the campaign says: name, told, own."""
    rules = campaign.publication
    yield "campaign", found.campaign, campaign.id
    yield "k", found.k, rules.k
    yield "category_k", dict(found.category_k), dict(rules.category_k)
    yield "known", list(found.known), list(rules.known)
    told, own = asdict(found.structure), asdict(structure_of(campaign))
    yield from ((part, told[part], own[part]) for part in own)
    tables = [(t.key, t.kind, t.measures, t.title, t.title_en) for t in found.tables]
    yield "tables", tables, [(t.key, t.rows, t.measures, t.title, t.title_en) for t in rules.tables]
    rows = {"city": [CITY], "unit": [*campaign.unit], "category": [*campaign.category]}
    for table in found.tables:
        yield f"tables.{table.key}", list(table.rows), rows[table.kind]
