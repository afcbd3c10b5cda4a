"""etcd's role: revisions of keys -> bytes, watch, lease, compaction. Knows nothing of Kubernetes."""
