"""The plain types that one room hands another."""
