"""How stages move through a scan: angles, geometry, constant speed, triggers by position."""
