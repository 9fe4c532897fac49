"""Plain facts about the releases of ADCore: which records a template has in which release.

The devices leave out what a release lacks, and the simulated IOC serves one; both read the same
table. Nothing here imports more than the standard library.
"""

from adsupport.adcore.compression import compression_readbacks, compressions
from adsupport.adcore.records import history, records, templates
from adsupport.adcore.versions import KNOWN_RELEASES, Release, nearest

__all__ = [
    "KNOWN_RELEASES",
    "Release",
    "compression_readbacks",
    "compressions",
    "history",
    "nearest",
    "records",
    "templates",
]
