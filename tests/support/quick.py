"""What tests need not wait for: rounds of a password's key, and the clearing up after a fork.

A password is turned into a key by a hundredth of the rounds, which are what makes sealing and opening slow. What a fork
inherits is left alone by its garbage collector, which would touch, and so copy, all of its parent's memory.

Loaded by the tests, by the server that their commands are forked from, and by the processes that open and seal
workbooks. Commands that a test starts in a fresh Python do not know of it.
"""

import gc
import os

from msoffcrypto.method.ecma376_agile import ECMA376Agile

from etl.system import processes

#: Instead of 100,000.
ROUNDS = 1_000

ECMA376Agile.encrypt.__defaults__ = (None, ROUNDS)
processes.PRELOADED = ("etl.read.worker", __name__)
os.register_at_fork(before=gc.freeze, after_in_parent=gc.unfreeze)
