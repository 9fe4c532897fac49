"""Each run, kept until all have come: its columns, its points, and what is known of these."""
