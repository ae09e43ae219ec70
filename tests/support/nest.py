"""A process that has all libraries loaded and runs pytest in a fork of itself, as often as it is asked.

    python tests/support/nest.py TREE SECONDS    # a line of JSON in: pytest's arguments; one out: exit code and output

The product and its tests are loaded by each fork anew, from the tree as it then stands.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

OURS = ("build", "etl", "plugins", "tests")
LIBRARIES_OF = (
    "tests.support.census",
    "tests.forms.test_id_number",
    "tests.check.test_check_rows",
    "tests.proof.test_forged",
)


def prepare(tree: str) -> None:
    """Load what the product and its tests need, without them."""
    sys.path[0] = tree
    os.chdir(tree)
    importlib.import_module("pytest")
    for name in LIBRARIES_OF:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    importlib.invalidate_caches()


def run(arguments: list[str], seconds: int) -> tuple[int, str]:
    """pytest's exit code (minus a signal's number if one ended it) and what it printed."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.setsid()
            signal.alarm(seconds)
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
            import pytest

            code = int(pytest.main(arguments))
            sys.stdout.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        output.seek(0)
        return code, output.read().decode(errors="replace")


def main(tree: str, seconds: int) -> None:
    """Answer one request after another until the input is closed."""
    prepare(tree)
    print(json.dumps("ready"), flush=True)
    sys.dont_write_bytecode = True
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), seconds)), flush=True)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()), int(sys.argv[2]))
