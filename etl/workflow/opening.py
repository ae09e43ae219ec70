"""The start of a command: load the campaign, read the key, finish what an interrupted command left."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import load_campaign
from etl.system.home import Home
from etl.vault.store.keys import read_key
from etl.vault.store.open import known_keys
from etl.workflow.recovery import recover_unless_busy
from etl.workflow.run import ProgressBar, Run


def open_run(
    home: Home,
    campaign_folder: Path,
    key_file: Path,
    day: dt.date,
    bar: ProgressBar,
    agree: Callable[[FuxueError], bool],
) -> Run:
    """The run of a command (see `Run` for the parameters). FuxueError if the campaign or the key file is not valid."""
    campaign = load_campaign(campaign_folder)
    keys = known_keys(home.vault, read_key(key_file))
    run = Run(home, campaign_folder, campaign, keys, day, bar, agree)
    recover_unless_busy(run)
    return run
