"""Copies, new keys, retention, new versions, and the proof that the record is whole."""
