"""`kubectl describe`: an object and what is known about it, as text for people."""
