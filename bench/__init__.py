"""Figures, measured on this machine and reported, never asserted: `make bench`, or `python -m bench --help`."""
