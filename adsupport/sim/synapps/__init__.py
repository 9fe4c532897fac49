"""synApps records: swait and the calculations it does."""
