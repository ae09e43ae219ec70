"""The audit of a release, which shares no code with what protects it, and the proof that anyone can check."""
