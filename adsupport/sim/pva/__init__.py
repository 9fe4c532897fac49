"""pvAccess: arrays as NTNDArray structures, and the server of an IOC."""
