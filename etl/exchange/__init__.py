"""The plain types that rooms pass to each other."""
