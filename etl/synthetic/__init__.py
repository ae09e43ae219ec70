"""Synthetic data for the demo, tests and benchmarks. This project contains no data of real children."""
