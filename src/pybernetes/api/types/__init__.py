"""Typed objects of the Kubernetes API, one module per group-version."""
