"""Resident identity numbers (GB 11643-1999): 6 digits region, 8 birth date, 3 order (odd = male), 1 check digit."""

import datetime as dt
import re

from etl.system.dates import parse_date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def check_digit(first17: str) -> str:
    """The 18th character of a number (ISO 7064 MOD 11-2)."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True)) % 11]


def birth_of(number: str) -> dt.date | None:
    """The birth date in a number, or None if it holds no date."""
    try:
        return parse_date(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return None


def sex_of(number: str) -> str:
    """男 or 女, by the parity of the 17th digit."""
    return "男" if int(number[16]) % 2 else "女"


def is_valid(number: str) -> bool:
    """True if format, birth date and check digit are valid. Plausible regions and dates are checked by the rules."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or number.startswith("0"):
        return False
    return birth_of(number) is not None and check_digit(number[:17]) == number[17]


def mask(number: str) -> str:
    """A masked number: the region and the year of birth stay, all else becomes asterisks."""
    return number[:6] + "*" * (len(number) - 6) if len(number) < 18 else f"{number[:10]}********"


def age_on(birth: dt.date, day: dt.date) -> int:
    """Age in completed years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
