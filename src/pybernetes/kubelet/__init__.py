"""The kubelet: one node's agent. `kubelet.py` is the loop, `decide/` its decisions, `runtime.py` the seam."""

import os

# Read when grpc is first imported, by a kubelet or by the process that it is forked from. Its fork handlers have no
# place beside subprocesses, which exec at once: they would upset the very connection to the runtime that goes on here.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
