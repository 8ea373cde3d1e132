"""What a call passes on its way: one policy a module."""
