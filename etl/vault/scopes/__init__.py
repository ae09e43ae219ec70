"""The encrypted files of each scope of the staff instance, and what they contain."""
