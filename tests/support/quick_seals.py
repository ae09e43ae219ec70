"""In tests a password is turned into a key by a hundredth of the rounds, which are what makes sealing and opening slow.

Loaded by the tests and by the processes that open and seal workbooks for them, which load nothing else.
"""

from msoffcrypto.method.ecma376_agile import ECMA376Agile

#: Instead of 100,000.
ROUNDS = 1_000

ECMA376Agile.encrypt.__defaults__ = (None, ROUNDS)
