"""The kubelet: one node's agent. `kubelet.py` is the loop, `decide/` its decisions, `runtime.py` the seam."""
