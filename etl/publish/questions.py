"""Ready-made questions (SQL) for the open database, and the files with which the browser answers them."""

import base64
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError
from etl.publish.database import ask
from etl.publish.languages import Words
from etl.rulebook.datafile import read_toml

_FILE = "questions.toml"
#: SQLite for browsers, one unchanged file; docs/dependencies.md gives its origin, and a test checks its digest.
ENGINE = "vendor/sql-wasm-inline.js"
#: Column headings that questions may use, by their key in the catalogue.
HEADS = (
    "release", "day", "row", "unit", "category", "measure", "value", "status", "before", "before_status", "after",
    "after_status", "low", "high", "before_low", "before_high", "after_low", "after_high", "count",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question as an SQL pattern with placeholders for names and headings in the reader's language."""

    key: str
    pattern: str

    def sql(self, t: Words) -> str:
        """The SQL with names and headings in one language."""
        heads = {f"as_{head}": '"' + t("sql.head." + head) + '"' for head in HEADS}
        return self.pattern.strip().format(name="name" if t.prefix == "" else "name_en", **heads)


def load_questions(templates: Path) -> tuple[Question, ...]:
    """The questions of ``questions.toml``, in the order of the file."""
    return tuple(Question(one["key"], one["sql"]) for one in read_toml(templates / _FILE)["question"])


def try_questions(database: Path, questions: tuple[Question, ...], words: tuple[Words, ...]) -> None:
    """Run each question in each language. Raises FuxueError ``publish.question`` for the first that fails."""
    for question in questions:
        for t in words:
            try:
                ask(database, question.sql(t))
            except ValueError as error:
                raise FuxueError("publish.question", question=question.key, reason=error) from None


def write_engine(site: Path, templates: Path, database: Path) -> int:
    """Write the engine and the database that the page loads at the first question; return their size in bytes.

    Both are scripts, because a page opened from a disk may load scripts beside it but may not read other files.
    """
    folder = site / "sql"
    folder.mkdir(parents=True, exist_ok=True)
    content = base64.b64encode(database.read_bytes()).decode()
    engine = (templates / ENGINE).read_bytes()
    (folder / "engine.js").write_bytes(engine)
    (folder / "data.js").write_text(f"const fuxueData = '{content}';\n", encoding="ascii", newline="\n")
    return len(engine) + len(content)
