"""Made-up people for demo, tests and benches. No real child's data ever enters this project."""
