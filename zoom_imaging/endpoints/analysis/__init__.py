"""The trial's questions answered from its tables: estimates with their intervals."""
