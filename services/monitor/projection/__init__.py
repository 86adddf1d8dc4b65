"""From Kafka into the SQL store that portal and intake read: `ccr.events` and `ccr.links`, projected in batches, each
with the place it brings its partition to in the same transaction. The read model follows the store, and does not hold
it up.

`records` what a record says · `lane` the way of a topic's batches into the store, in `pieces` · `into_store` what is
written · `into_read_model` the other database · `set_aside` what could not be folded or read, for operators · `ahead`
a store of another Kafka · `worker` the app · `figures` its metrics.
"""
