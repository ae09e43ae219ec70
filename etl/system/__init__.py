"""Home, disk, processes and files: what the machine gives, and what is safe to take from it."""
