"""Runs the pure core over accepted events inside the engine's transaction; replay and its proof."""
