"""Signals over Channel Access: reading many at once, putting with an end, monitors."""
