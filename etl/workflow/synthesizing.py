"""Synthetic data for demos and tests: lists, and workbooks filled in as units and departments would."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from etl.findings import FuxueError
from etl.forms.definitions import ANNEX4
from etl.rulebook.campaign import Campaign
from etl.synthetic.fill import choose_faults, fill_issue
from etl.synthetic.fill_casework import fill_casework
from etl.synthetic.list_workbook import write_list
from etl.synthetic.population import make_population
from etl.vault.record import issued
from etl.workflow.run import Run


def synthesize_list(campaign: Campaign, out: Path, children: int, seed: int, profile: str) -> None:
    """Write a synthetic list with this many children to `out`. The same `seed` and `profile` give the same list."""
    write_list(out, make_population(campaign, children, seed, profile))


def synthesize_fill(run: Run, children: int, seed: int, profile: str, *, faults: float = 0.0,
                    only: Collection[str] | None = None, back: float = 1) -> list[Path]:  # fmt: skip
    """Fill in the newest list's workbooks and put them into the inbox; return their paths.

    `children`, `seed` and `profile` are those of the list; `faults` is the share of workbooks that get faults; `only`
    are the slugs of units, None for all; `back` is the share of the children brought back who are back already.
    """
    names = _issues(run, ANNEX4.key)
    people = make_population(run.campaign, children, seed, profile)
    units = [unit for unit in run.campaign.units if only is None or unit.slug in only]
    with run.home.lock():
        return fill_issue(
            run.campaign,
            units,
            run.home.outbox / names[-1],
            run.home.inbox,
            people,
            password_of=partial(run.keys.password, names[-1]),
            seed=seed,
            faults=choose_faults(run.campaign, people, faults, seed),
            back=back,
            done=run.bar("填报", len(units)),
        )


def synthesize_casework(run: Run, form: str, seed: int) -> list[Path]:
    """Fill in the newest corrections or case workbooks and put them into the inbox; return their paths."""
    name = _issues(run, form)[-1]
    with run.open_vault() as vault:
        bundles = [bundle for bundle in issued.issued(vault, run.campaign).values() if bundle.issue == name]
    with run.home.lock():
        return fill_casework(
            run.campaign, bundles, run.home.outbox / name, run.home.inbox,
            password_of=partial(run.keys.password, name), seed=seed, day=run.day, done=run.bar("填报", len(bundles)),
        )  # fmt: skip


def _issues(run: Run, form: str) -> list[str]:
    with run.open_vault() as vault:
        names = issued.issues(vault, form)
    if not names:
        raise FuxueError("issue.none")
    return names
