"""What is particular to each kind: one strategy a kind."""
