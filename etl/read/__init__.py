"""Reading returned workbooks: guarded, unsealed and parsed in child processes, never in the main process."""
