"""Which passwords are refused: too short or long, or easily guessed by zxcvbn's estimate (Wheeler 2016, USENIX).

It knows common passwords and names, and sees repetitions, sequences, dates and neighbouring keys.
"""

from datasette_accounts.passwords import PASSWORD_MAX_LENGTH, PasswordLengthError
from datasette_accounts.routes import api
from zxcvbn import zxcvbn

#: The least score of zxcvbn, from 0 to 4: from 3 on it takes more than 10^8 guesses.
LEAST_SCORE = 3
#: Words that everybody tries here first.
_OURS = ("fuxue", "复学", "wafangdian", "jiaoyuju", "shixue")
#: The characters that zxcvbn looks at.
_MOST = 72


def check_password(password: str, minimum: int) -> None:
    """Raise PasswordLengthError, with a text for the person, unless a password may be used."""
    if not isinstance(password, str) or not minimum <= len(password) <= PASSWORD_MAX_LENGTH:
        raise PasswordLengthError(f"密码须为 {minimum} 至 {PASSWORD_MAX_LENGTH} 位 / {minimum} characters at least")
    if zxcvbn(password[:_MOST], user_inputs=_OURS)["score"] < LEAST_SCORE:
        raise PasswordLengthError("这个密码太容易猜到：不要用常见的、重复的、连号的或日期 / too easily guessed")


def install_check() -> None:
    """Let the accounts plugin ask `check_password` wherever somebody chooses a password."""
    api.check_password_length = check_password
