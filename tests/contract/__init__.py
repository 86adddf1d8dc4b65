"""One suite, two engines: what adapters, advocates and operators are promised holds on the embedded engine and on
Kafka, and the same week makes the same views, links and transitions on both, byte for byte.

`backbones` what the tests ask of an engine · `embedded`, `kafka` the two · `conftest` which one a test gets ·
`test_same_week` compares the two · every other file runs on each.
"""
