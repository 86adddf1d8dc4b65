"""The published schemas: generated from the contract, checked in under `schemas/`, guarded against breaking.

`payload` and `envelope` JSON Schema · `asyncapi` the AsyncAPI document · `compat` what breaks whom ·
`checkin` the files on disk. Run `python -m ccr_events.schemas check` or `write`.
"""
