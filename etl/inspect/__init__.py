"""What the inspectorate asks of reports (M4, M19): flags, and a sample of children to visit again."""
