"""Ready-made questions to the open database, and the page that answers them in the browser, from the file itself."""

import base64
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError
from etl.publish.database import ask
from etl.publish.languages import Words
from etl.rulebook.datafile import read_toml

_FILE = "questions.toml"
#: SQLite for browsers in one file, as its makers ship it; docs/dependencies.md says whence, a test knows its digest.
ENGINE = "vendor/sql-wasm-inline.js"
#: Headings that questions may use, by their key in the catalogue.
HEADS = (
    "release", "day", "row", "unit", "category", "measure", "value", "status", "before", "before_status", "after",
    "after_status", "low", "high", "count",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question as SQL with blanks for the reader's language."""

    key: str
    pattern: str

    def sql(self, t: Words) -> str:
        """The question with names and headings in one language."""
        heads = {f"as_{head}": '"' + t("sql.head." + head) + '"' for head in HEADS}
        return self.pattern.strip().format(name="name" if t.prefix == "" else "name_en", **heads)


def load_questions(templates: Path) -> tuple[Question, ...]:
    """The questions of ``questions.toml`` in their order."""
    return tuple(Question(one["key"], one["sql"]) for one in read_toml(templates / _FILE)["question"])


def try_questions(database: Path, questions: tuple[Question, ...], words: tuple[Words, ...]) -> None:
    """Ask each in each language; FuxueError ``publish.question`` names the first that the database does not answer."""
    for question in questions:
        for t in words:
            try:
                ask(database, question.sql(t))
            except ValueError as error:
                raise FuxueError("publish.question", question=question.key, reason=error) from None


def write_engine(site: Path, templates: Path, database: Path) -> int:
    """Write what the page loads when it is first asked, and give its size in bytes.

    Both are scripts: a page that was opened from a disk may load scripts that lie beside it, but may not read files.
    """
    folder = site / "sql"
    folder.mkdir(parents=True, exist_ok=True)
    content = base64.b64encode(database.read_bytes()).decode()
    engine = (templates / ENGINE).read_bytes()
    (folder / "engine.js").write_bytes(engine)
    (folder / "data.js").write_text(f"const fuxueData = '{content}';\n", encoding="ascii", newline="\n")
    return len(engine) + len(content)
