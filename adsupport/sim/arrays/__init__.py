"""What plugins compute: functions on numpy arrays, which know of no ports and no records."""
