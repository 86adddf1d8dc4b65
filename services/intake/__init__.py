"""The door of the backbone as a pipeline of stages; quarantine, redrive and API keys."""
