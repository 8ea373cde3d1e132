"""Numbers that the parts of the gateway have of themselves, as metrics: read when somebody asks."""
