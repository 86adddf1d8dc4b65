"""HTTP: the intake API, links, cases, the alert stream, the live page."""
