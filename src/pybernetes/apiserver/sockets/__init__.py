"""The server on the network: bytes in, `wire.Request` out, and the answer back. `server.py` is the door."""
