"""The composition root: processes and clusters built out of the components."""
