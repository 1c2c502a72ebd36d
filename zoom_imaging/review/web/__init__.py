"""The reading room in a browser."""
