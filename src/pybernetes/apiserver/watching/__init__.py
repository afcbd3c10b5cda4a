"""Watches: who hears of a change, in which form, and what slow clients may be owed. `watches.py` is the door."""
