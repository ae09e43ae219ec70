"""Writing to and reading from the record, by subject; counting children into sums happens only here (`count.py`)."""
