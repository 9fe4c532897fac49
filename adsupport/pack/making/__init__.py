"""Packs being made: documents, files and their digests, stopped and gone on with at will."""
