"""``python -m adsupport.cli``, the same as ``adsupport``."""

from adsupport.cli.app import main

main()
