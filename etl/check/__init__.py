"""Checking a submission against what was issued (M8), and its answers against the rule book (M9–M11, M17)."""
