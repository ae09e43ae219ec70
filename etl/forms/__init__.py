"""Every form as data: its columns, its header in a sheet, its manifest, the ID number."""
