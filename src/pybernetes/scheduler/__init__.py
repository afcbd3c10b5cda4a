"""kube-scheduler: gives pods their nodes. `Scheduler.run` is the component; `decide` holds what it thinks."""
