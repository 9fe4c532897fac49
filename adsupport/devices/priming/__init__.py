"""One priming sequence, two faces: blocking and plan."""
