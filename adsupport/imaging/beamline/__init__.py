"""What the beamline has: source, sample, camera, and how each is used and put back."""
