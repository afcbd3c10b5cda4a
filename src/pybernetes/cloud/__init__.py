"""cloud-controller-manager."""
