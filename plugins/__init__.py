"""The staff instance: Datasette over encrypted scope files, locked down. `plugins.launch` is its door."""

# Before anything else: Datasette loads its plugins while it is imported. If one of them came first it would be found
# half made, and be registered without its hooks.
import datasette.app  # noqa: F401
