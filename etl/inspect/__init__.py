"""Statistics for the inspectorate (M4, M19): flags on reports, and samples of children for second visits."""
