"""The steps of the work: each module combines rooms that do not import each other."""
