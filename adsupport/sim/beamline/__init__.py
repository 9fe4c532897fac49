"""A simulated imaging beamline: source, shutter, sample on its stages, and what a camera sees."""
