"""What a process loads before it does anything: little, and nothing that it has no business with."""

import subprocess
import sys

import pytest

from etl.system.bounded import Bounds, run_bounded
from tests.support.homes import ROOT

#: Modules beyond the standard library that the process which opens strangers' files may hold.
MOST = 120
LOADED = "sorted(__import__('sys').modules)"
#: What the command line has no need of to say what it can do.
HEAVY = {
    "rich", "pydantic", "cryptography", "sqlcipher3", "openpyxl", "xlsxwriter", "python_calamine", "msoffcrypto",
    "numpy", "highspy", "faker", "jinja2", "datasette", "sqlite_utils", "yaml",
}  # fmt: skip


def beyond_the_standard_library(modules: list[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("arguments", [["--help"], ["vault", "--help"], ["load", "--help"]])
def test_help_loads_no_library_but_click(arguments: list[str]) -> None:
    program = f"import sys; sys.argv[1:] = {arguments!r}\nfrom etl.cli.main import main\n"
    program += f"try: main()\nfinally: print(*{LOADED}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = beyond_the_standard_library(done.stderr.split())
    assert "click" in loaded
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()
    assert {name for name in loaded if name.startswith(("etl.vault", "plugins", "etl.publish"))} == set()


def test_the_process_that_opens_strangers_files_holds_little_and_no_key_to_anything() -> None:
    bounds = Bounds(seconds=60, memory_bytes=2 << 30, answer_bytes=1 << 20)
    loaded = beyond_the_standard_library(run_bounded(eval, (LOADED,), bounds))
    assert "etl.read.worker" in loaded
    assert {name for name in loaded if name.startswith(("etl.vault", "etl.cli", "etl.workflow", "plugins"))} == set()
    assert {name.split(".")[0] for name in loaded} & {"click", "sqlcipher3", "pydantic", "datasette"} == set()
    assert len(loaded) <= MOST
