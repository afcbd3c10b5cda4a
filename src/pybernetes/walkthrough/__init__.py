"""The walkthrough of the Kubernetes introduction, on a running cluster, with the real kubectl when there is one.

`pyb demo` shows it to people, `tests/e2e` runs it as a test: the very same steps, each of which fails loudly.
"""
