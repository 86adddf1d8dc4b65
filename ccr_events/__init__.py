"""The contract and the pure core of the CCR backbone: what an agency adapter installs.

Nothing here does I/O except reading the package's own written policies, and `client`, which publishes.
"""
