"""The Pod Security Standards as functions of a pod. `levels.violations` is the door."""
