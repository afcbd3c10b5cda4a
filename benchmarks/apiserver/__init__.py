"""The API server's benchmark: `python -m benchmarks.apiserver`. Loopback only; it ends by itself and leaves nothing."""
