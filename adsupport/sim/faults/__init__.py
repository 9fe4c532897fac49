"""Faults: what goes wrong at a beamline; :mod:`adsupport.sim.faults.registry` has them all."""
