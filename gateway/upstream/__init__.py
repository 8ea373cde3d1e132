"""The way to the backends: endpoints, balancing, channels."""
