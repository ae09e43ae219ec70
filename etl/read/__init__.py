"""Returned workbooks in: guarded, unsealed and parsed in a child process of their own, never by `build.py` itself."""
