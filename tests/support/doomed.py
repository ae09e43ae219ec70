"""Commands that are killed at a chosen moment."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from etl.cli.main import main
from tests.support import warm

#: Runs the command line; dies before moment number argv[1], or writes the names of all moments to argv[2].
DOOMED = """
import json, os, signal, sys
from pathlib import Path
import sqlcipher3.dbapi2 as sqlcipher

last, out, home, arguments = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.scandir", "os.listdir"}
moments = []

def moment(name):
    moments.append(name)
    if len(moments) == last:
        print(name, file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

def audit(event, given):
    if event in EVENTS and isinstance(given[0], (str, os.PathLike)):
        path = os.fspath(given[0])
        # What rmtree removes has no path of its own.
        if path.startswith(home) or not os.path.isabs(path):
            moment(event + " " + path.removeprefix(home))

def connect(*given, **named):
    connection = connect_(*given, **named)
    connection.set_trace_callback(lambda sql: moment("sql " + " ".join(sql.split()[:3])))
    return connection

def fsync(handle):
    moment("fsync")
    fsync_(handle)

from etl.cli.main import main
connect_, sqlcipher.connect = sqlcipher.connect, connect
fsync_, os.fsync = os.fsync, fsync
sys.addaudithook(audit)
try:
    main(["--home", home, *arguments], standalone_mode=False)
finally:
    moment("the end")
    last = 0
    if str(out) != "-":
        out.write_text(json.dumps(moments))
"""


@dataclass(frozen=True)
class Case:
    """A command that is interrupted: the home that it begins with, what follows ``--home …``, all its moments."""

    home: Path
    command: tuple[str, ...]
    form: str
    moments: tuple[str, ...]

    def at(self, moment: str) -> int:
        """The number of the first moment of a name."""
        return self.moments.index(moment) + 1


def die(home: Path, command: Sequence[str], at: int, out: str = "-") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own that kills itself before moment `at`."""
    return warm.run([str(at), out, str(home), *command], script=DOOMED)


def again(home: Path, command: Sequence[str]) -> Result:
    """The same command, not interrupted."""
    return CliRunner().invoke(main, ["--home", str(home), *command], env={"COLUMNS": "200"})


def case(folder: Path, home: Path, command: tuple[str, ...], form: str) -> Case:
    """Count the moments of a command in a copy of the home."""
    copy, out = folder / "counted", folder / "moments.json"
    shutil.copytree(home, copy)
    done = die(copy, command, 0, str(out))
    assert done.returncode == 0, done.stderr
    shutil.rmtree(copy)
    return Case(home, command, form, tuple(json.loads(out.read_text())))
