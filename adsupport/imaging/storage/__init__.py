"""Where a scan's files go, and what is written beside the images: directories, logs, state."""
