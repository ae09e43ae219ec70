"""Encrypted files: keys, opening them, the chain, the audit log."""
