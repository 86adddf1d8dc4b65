"""Every event type's payload, a file per agency chapter."""
