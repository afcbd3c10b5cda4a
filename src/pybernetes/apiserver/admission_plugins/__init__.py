"""The built-in admission plug-ins, one file each; `order.py` says which run and when."""
