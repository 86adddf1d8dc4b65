"""Other ways to fold events of Kafka, each with a locked environment of its own, as its documentation has it."""
