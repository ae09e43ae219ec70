"""What disclosure control costs and keeps, on made-up tables: ``python -m bench disclosure [PART]``."""

from bench.common import parser
from bench.disclosure import campaign, closing, levels, optimum, rerun


def main() -> None:
    """One part of the bench, or all of them one after the other."""
    parts = {
        "closing": closing.run,
        "campaign": campaign.run,
        "rerun": rerun.run,
        "levels": levels.run,
        "optimum": optimum.run,
    }
    options = parser("disclosure", __doc__)
    options.add_argument("part", nargs="?", choices=[*parts, "all"], default="all")
    options.add_argument("--seeds", type=int, default=20)
    given = options.parse_args()
    for name, run in parts.items():
        if given.part in (name, "all"):
            run(given.seeds)
