"""The only room that opens the private database (M18). Everything else is handed what it needs by `workflow`."""
