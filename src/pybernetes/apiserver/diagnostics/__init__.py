"""How the server is: health, metrics, and what /statusz, /flagz and /debug tell. `endpoints.py` is the door."""
