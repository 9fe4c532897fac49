"""Writers: from the documents of a run to files, while it runs or afterwards."""
