"""The `pyb` command line."""
