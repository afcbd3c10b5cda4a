"""What is not deterministic, behind small seams: clock, chance, processes, network namespaces."""
