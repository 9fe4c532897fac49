"""What arrays a plugin has received, and what its source will deliver."""
