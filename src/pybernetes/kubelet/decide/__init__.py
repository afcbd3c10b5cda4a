"""What a kubelet decides: pure functions of pods, container states and the time."""
