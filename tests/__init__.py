"""The tests: a folder for each room; `support` is what they share."""

import os

# With lxml, which python-docx brings, openpyxl writes the same cells in other words; tests change files word by word.
os.environ["OPENPYXL_LXML"] = "False"
