"""kube-controller-manager: one file per controller, each a pure decision with a thin class around it."""
