"""The rule book: loads and validates the campaign's data files in `campaign/`."""
