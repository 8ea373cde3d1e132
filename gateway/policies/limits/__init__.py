"""How much a caller may ask, and how often: limits by rate and by quota."""
