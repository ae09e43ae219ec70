"""The real staff server, for a real browser."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.staff_home import (
    ROOT,
)

SERVE = """
import sys
from pathlib import Path
from etl.rulebook.campaign import load_campaign
from etl.system.home import Home
from etl.vault.store.keys import read_key
from plugins.launch import run_staff_server
home = Home(Path(sys.argv[1]))
run_staff_server(home, read_key(home.demo_key), load_campaign(Path(sys.argv[3])), port=int(sys.argv[2]))
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def served(root: Path, campaign: Path = ROOT / "campaign") -> Iterator[tuple[str, Path]]:
    """The server in a process of its own; its address and the file with all that it said."""
    port, log = free_port(), root.with_suffix(".log")
    with log.open("wb") as said:
        command = [sys.executable, "-c", SERVE, str(root), str(port), str(campaign)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
