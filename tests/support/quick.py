"""In tests a password is turned into a key by a hundredth of the rounds: they are what makes sealing and opening slow.

Loaded by the tests, by the server that their commands are forked from, and by the processes that open and seal
workbooks. Commands that a test starts in a fresh Python do not know of it.
"""

from msoffcrypto.method.ecma376_agile import ECMA376Agile

from etl.system import processes

#: Instead of 100,000.
ROUNDS = 1_000

ECMA376Agile.encrypt.__defaults__ = (None, ROUNDS)
processes.PRELOADED = ("etl.read.worker", __name__)
