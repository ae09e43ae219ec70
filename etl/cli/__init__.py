"""The command line, which alone knows the order of the stages and hands each what it needs of another."""
