"""What a reader can infer from what is published, by code of its own, and the proof that anyone can check."""
