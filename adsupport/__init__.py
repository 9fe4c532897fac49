"""EPICS hardware in, described and verified data files out.

Importing this package alone is cheap: no ophyd, no bluesky, no databroker.  Ask for the room
that is needed: `adsupport.devices`, `adsupport.plans` ...
"""

__all__ = ["__version__"]

__version__ = "0.1.0.dev0"
