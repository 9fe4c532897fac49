"""Classes that fit a release of ADCore."""
