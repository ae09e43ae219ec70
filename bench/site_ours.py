"""`python -m bench.site_ours RELEASED CAMPAIGN OUT`: every unit's page in both languages, and nothing else of ours."""

import gc
import sys
from pathlib import Path

from etl.publish import pages
from etl.publish.__main__ import RARELY
from etl.publish.languages import load_words
from etl.publish.offer import Offer
from etl.publish.site_identity import load_identity
from etl.publish.source import load_source
from etl.rulebook.campaign import load_campaign

TEMPLATES = Path(__file__).resolve().parent.parent / "site_templates"


def main(released: Path, campaign: Path, out: Path) -> None:
    """From releases to pages, as `python -m etl.publish` makes them."""
    gc.set_threshold(*RARELY)
    words = load_words(TEMPLATES)
    source = load_source(released, load_campaign(campaign))
    found = list(pages._pages(source, Offer((), (), 0)))
    env = pages._environment(TEMPLATES, source, load_identity(campaign, source.campaign.category), found)
    for page in found:
        if page.section == "unit":
            pages._write(env, out, page, words)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
