"""Indicators: what the facts of all cases say of how the agencies work together. Per agency, never per worker.

Pure functions of one case at a time, summed up in one pass; no engine, no clock, nothing sealed. `docs/indicators.md`
says what each one counts.
"""
