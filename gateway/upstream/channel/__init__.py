"""Channels: connections to one endpoint, and the ways to make calls over them."""
