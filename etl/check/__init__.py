"""The rule book applied: a submission against what was issued (M8) and every answer against the rules (M9–M11, M17)."""
