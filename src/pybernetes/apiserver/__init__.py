"""kube-apiserver: `pipeline.py` is the order of the stages, the file to read first."""
