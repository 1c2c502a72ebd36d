"""The commands for one file, without trial logic."""
