"""Sub-resources that speak another kind than their parent: scale, binding, eviction, token."""
