"""The staff instance: a locked-down Datasette that serves the encrypted scope files; `plugins.launch` starts it."""

# This import must come first: Datasette loads its plugins while it is imported. A plugin that was imported before would
# be only half initialised by then, and registered without its hooks.
import datasette.app  # noqa: F401
