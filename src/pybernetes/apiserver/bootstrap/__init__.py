"""The objects that exist in every cluster from the start."""
