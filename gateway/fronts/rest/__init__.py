"""The REST front: HTTP and JSON in, a call out, JSON back."""
