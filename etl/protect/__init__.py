"""From confidential counts to a protected release: rounding, intervals, and an independent audit (M4, M19)."""
