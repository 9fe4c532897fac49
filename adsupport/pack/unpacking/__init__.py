"""Packs on their way into folders and catalogs."""
