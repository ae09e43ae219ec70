"""The command line: commands, options and output. The work itself is done in `etl/workflow`."""
