"""The tests reach simulated hardware, and nothing of the beamline."""

from adsupport.testing import private_iocs

private_iocs()  # before anything imports epics
