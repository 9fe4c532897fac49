"""What an IOC has: found by asking, and told as code."""
