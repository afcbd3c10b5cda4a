"""Message framing of exec, attach, port-forward and logs, without I/O."""
