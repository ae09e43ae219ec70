"""Every form as data: its columns, its header in a sheet and its manifest; and the ID number."""
