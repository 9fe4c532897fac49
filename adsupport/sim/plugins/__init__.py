"""areaDetector plugins of the simulated IOC."""
