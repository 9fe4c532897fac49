"""synApps records."""
