"""The container runtime interface (CRI v1) over gRPC."""
