"""A kubectl for machines that have none."""
