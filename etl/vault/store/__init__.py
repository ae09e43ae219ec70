"""Encrypted files: keys, opening, the chain, the audit log."""
