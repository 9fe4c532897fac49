"""``python -m adsupport``, the same as ``adsupport``."""

from adsupport.cli.app import main

main()
