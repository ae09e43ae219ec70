"""The command line: commands, options, and what is printed. The work itself is in `workflow`."""
