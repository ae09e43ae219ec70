"""From confidential counts to a protected release: needs, rounding, suppression, and an independent audit (M4, M19)."""
