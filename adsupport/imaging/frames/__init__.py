"""How frames reach consumers: sources, and the bus that hands their frames on."""
