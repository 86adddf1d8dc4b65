"""The `ccr` command, a file per group of commands."""
