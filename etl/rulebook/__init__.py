"""The campaign as data: loads and validates `campaign/`."""
