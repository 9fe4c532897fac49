"""A motor record on a simulated controller, and records for all motors of an IOC."""
