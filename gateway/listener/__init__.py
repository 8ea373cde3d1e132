"""The asyncio server: connections, TLS, limits, drain; hands requests to a handler."""
