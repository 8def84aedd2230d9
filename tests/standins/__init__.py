"""Servers that stand in for the real ones: they speak the documented wire format on loopback."""
