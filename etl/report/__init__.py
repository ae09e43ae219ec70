"""Documents for units and the bureau, made from the record and from what was found; sealed by the command line."""
