"""A run of the command line begins: the campaign is loaded, the key is read, what was left half done is ended."""

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
    """Everything that a command works with. FuxueError if the campaign or the key is not as it must be."""
    campaign = load_campaign(campaign_folder)
    keys = known_keys(home.vault, read_key(key_file))
    run = Run(home, campaign_folder, campaign, keys, day, bar, agree)
    recover_unless_busy(run)
    return run
