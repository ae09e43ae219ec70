"""What tests need not wait for. Commands that a test starts in a fresh Python know nothing of it.

The memory of SQLCipher is neither wiped nor kept from being swapped out, which halves the time of all that opens the
record. What a fork inherits is left alone by its garbage collector, which would touch, and so copy, all of its parent's
memory. For sealing see `quick_seals`.
"""

import gc
import os

import tests.support.quick_seals  # noqa: F401 - changes what it loads
from etl.system import processes
from etl.vault.store import files

files.MEMORY_SECURITY = "OFF"
processes.PRELOADED = ("etl.read.worker", "tests.support.quick_seals")
os.register_at_fork(before=gc.freeze, after_in_parent=gc.unfreeze)
