"""Fuxue (复学): verify suspected out-of-school children, bring them back, show the public honest progress."""
