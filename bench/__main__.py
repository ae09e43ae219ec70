"""``python -m bench read``: a bench by name.

Children that read a workbook import the main module unless it is a package's ``__main__``; this one is, as `build.py`
is empty to them. ``python -m bench.read`` would be measured with its own imports in every child.
"""

import sys
from importlib import import_module

BENCHES = ("issue", "read", "load", "vault", "disclosure", "site", "staff", "documents")

if __name__ == "__main__":
    if sys.argv[1:2] not in [[name] for name in BENCHES]:
        sys.exit(f"python -m bench {'|'.join(BENCHES)} …")
    import_module(f"bench.{sys.argv.pop(1)}").main()
