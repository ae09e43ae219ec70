"""The order of the work: each module joins rooms that do not know each other."""
