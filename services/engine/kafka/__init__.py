"""The Kafka engine: what a state or a nation runs on. Needs the `kafka` extra."""
