"""Signed tokens: JSON Web Tokens (RFC 7519), by the advice of RFC 8725."""
