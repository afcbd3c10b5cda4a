"""What goes on to a node: exec, attach, port-forward, logs and proxy. `answers.connect_answers` is the door."""
