"""The whole backbone on a simulated clock, scheduler, network and disk, by seed: what is random is the seed's.

Run by `make simulate SEEDS=N`; a seed that breaks a law is printed and does the same again when run alone.
The idea is FoundationDB's (W. Wilson, "Testing Distributed Systems w/ Deterministic Simulation", Strange Loop 2014)
and TigerBeetle's VOPR: the product's own code runs, only what it stands on is simulated.

`scheduler` the event loop · `threads` threads as coroutines of it · `clock` · `disk` and `torn` files, refusals and
power cuts · `network` · `substitution` puts these in the product's way · `backbone` one process under test and its
restarts · `load`, `adapters`, `desks`, `listeners` who uses it · `plan` which faults a seed brings · `laws` what must
hold · `seed` one run · `__main__` many.
"""
