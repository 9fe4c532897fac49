"""Packs being read: runs, documents and images, without a catalog."""
