"""Profiles of synthetic populations: the shares of categories."""

from collections.abc import Mapping

#: Shares in percent (mission, "Realistic volumes and shares").
PROFILES: Mapping[str, Mapping[str, float]] = {
    "default": {
        "A": 18, "B": 38, "C": 9, "D": 12, "E": 4, "F": 7, "G": 0.3, "H": 2.5,
        "I": 4.5, "J": 0.2, "K": 1.5, "L": 0.5, "M": 2.5,
    },
}  # fmt: skip
