"""What is on record, and the one door from children to sums."""
