"""What a scan was asked to do: made as metadata, and read from them."""
