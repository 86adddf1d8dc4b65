"""Written policies as data: loaded, checked, compiled for the core, explained, compared, drawn."""
