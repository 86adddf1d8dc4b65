"""The pure core: `fold` and `decide` over the facts of one case. No I/O, no clock, no randomness, no keys."""
