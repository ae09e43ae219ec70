"""What tests need not wait for. Commands that a test starts in a fresh Python know nothing of it.

The memory of SQLCipher is neither wiped nor kept from being swapped out, which halves the time of all that opens the
record. What a fork inherits is left alone by its garbage collector, which would touch, and so copy, all of its parent's
memory. Processes that must not hold a key are forked with what they need already loaded. Templates are compiled once.
For sealing see `quick_seals`.
"""

import gc
import os
from typing import Any, ClassVar

import jinja2
from jinja2.bccache import Bucket

import tests.support.quick_seals  # noqa: F401 - changes what it loads
from etl.system import processes
from etl.vault.store import files
from etl.workflow import publishing, releasing
from tests.support import warm

files.MEMORY_SECURITY = "OFF"
processes.PRELOADED = ("etl.read.worker", "tests.support.quick_seals")
os.register_at_fork(before=gc.freeze, after_in_parent=gc.unfreeze)
for command in (publishing, releasing):
    command.run_module = warm.run_module  # type: ignore[attr-defined]


class Compiled(jinja2.BytecodeCache):
    """Templates as compiled, by their content; kept for as long as the process lasts."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key + bucket.checksum in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key + bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


loaded = jinja2.BaseLoader.load


def load(loader: jinja2.BaseLoader, environment: jinja2.Environment, *given: Any) -> jinja2.Template:
    environment.bytecode_cache = environment.bytecode_cache or Compiled()
    return loaded(loader, environment, *given)


jinja2.BaseLoader.load = load  # type: ignore[method-assign, assignment]
