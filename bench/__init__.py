"""Measurements, run by hand; nothing in the tests depends on a time."""
