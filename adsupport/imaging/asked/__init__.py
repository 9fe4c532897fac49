"""What is asked for, and whether it can be: configurations and arguments."""
