"""Clients that others wrote, against our own processes."""
