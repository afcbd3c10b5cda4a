"""Where a pod shall go: pure functions of a pod, the snapshot and the facts. One plug-in a file, as upstream's."""
