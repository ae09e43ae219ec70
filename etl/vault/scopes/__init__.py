"""What each scope of the staff instance sees, as encrypted files of its own."""
