"""Who owns which field: managedFields on every write, and server-side apply."""
