"""How the API server bears what strangers do to it, while a good neighbour goes on with its work."""
