"""What a campaign's folder may say, the whole work can be done with: what passes validation never fails later."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.exchange import release as released
from etl.exchange.release import Cell, Status
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.protect.draft import ReleaseDay
from etl.rulebook import publication
from etl.rulebook.campaign import Campaign
from etl.rulebook.datafile import checked
from etl.rulebook.publication import Publication
from etl.workflow.run import Run
from tests.support.campaign_changes import HARMLESS, LOADERS, TEXT, faults_of
from tests.support.campaign_faults import Fault
from tests.support.small_counts import make_counts

#: What changes how figures are protected, printed and judged; texts are shown as they are.
FILES = ("publication.toml", "inspection.toml", "casework.toml", "rules.toml")
WORK = (["status"], ["report", "flags"], ["release", "--dry-run"], ["issue", "--form", "corrections"],
        ["release", "--closing"], ["publish"])  # fmt: skip


def changes(file: str) -> list[Fault]:
    """Every harmless change that is more than another text, at the first key of each place."""
    return [
        fault
        for fault in faults_of(file, all_places=False)
        if fault.what in HARMLESS[file].get(fault.place, frozenset()) - TEXT and passes(file, fault)
    ]


def passes(file: str, fault: Fault) -> bool:
    """False where the first key of a place happens to be one that is needed."""
    try:
        LOADERS[file](fault.data or {})
    except FuxueError:
        return False
    return True


@pytest.mark.prove
@pytest.mark.parametrize("file", FILES)
def test_the_work_can_be_done_under_every_harmless_change(loaded: Run, tmp_path: Path, file: str) -> None:
    tried = changes(file)
    assert tried
    for number, fault in enumerate(tried):
        folder, home = tmp_path / f"campaign-{number}", tmp_path / f"home-{number}"
        shutil.copytree(loaded.campaign_folder, folder)
        shutil.copytree(loaded.home.root, home)
        (folder / file).write_text(fault.text, encoding="utf-8")
        for command in WORK:
            day = [] if command == ["publish"] else ["--as-of", loaded.day.isoformat()]
            said = CliRunner().invoke(main, ["--home", str(home), "--campaign", str(folder), *command, *day])
            assert said.exception is None or isinstance(said.exception, SystemExit), (fault.place, said.exception)
            assert said.exit_code == 0, (fault.place, fault.what, command, said.output)


def test_what_the_publication_may_say_is_taken_by_the_program_that_checks_releases(campaign: Campaign) -> None:
    tried = [fault for fault in faults_of("publication.toml", all_places=False) if passes("publication.toml", fault)]
    assert len(tried) > 20
    for fault in tried:
        read = checked("publication.toml", fault.data or {}, Publication)
        changed = replace(campaign, publication=read)
        nothing = make_counts(changed, [(0, 0, 0, 0)] * len(changed.units), random.Random(1))
        release = ReleaseDay(changed, nothing).release(lambda _: Cell(Status.INTERVAL, 0, 5), closing=True)
        files = released._files(replace(release, assumed=read.assumptions[0]))
        verify_release.hold(json.loads(files["release.json"]))
    assert publication.LEAST_K == verify_release.LEAST_K
