"""Simulated EPICS hardware on caproto: IOCs that behave as the real ones were seen to behave."""
