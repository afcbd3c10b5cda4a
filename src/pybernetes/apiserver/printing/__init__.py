"""The columns that `kubectl get` shows of each kind."""
