"""Prime an HDF5 plugin with the package named on the command line; a program of its own."""

import importlib
import json
import sys
import time

package, prefix = sys.argv[1:]
devices = importlib.import_module(f"{package}.devices")

detector = devices.ad_creator(
    prefix,
    name="detector",
    plugins=[
        "cam",
        {
            "hdf1": {
                "class": devices.AD_EpicsFileNameHDF5Plugin,
                "write_path_template": "/tmp/",
                "read_path_template": "/tmp/",
            }
        },
    ],
)
detector.wait_for_connection(timeout=60)


def primed() -> bool:
    """Ask the IOC itself: the plugin knows the size of an image."""
    return sum(detector.hdf1.array_size.get(use_monitor=False)) > 0


before = primed()
start = time.perf_counter()
devices.AD_prime_plugin2(detector.hdf1)
seconds = time.perf_counter() - start
print(json.dumps({"before": before, "seconds": seconds, "after": primed()}))
