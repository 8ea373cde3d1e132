"""Fronts: translators from client protocols to calls."""
