"""Upkeep of the record: copies, new keys, retention, new versions, and verification that nothing was altered."""
