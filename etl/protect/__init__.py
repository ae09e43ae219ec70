"""From confidential sums to a release: primary needs, secondary suppression, an audit by separate code (M4, M19)."""
