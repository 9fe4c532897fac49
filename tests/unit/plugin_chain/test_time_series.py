"""What listens to NDPluginTimeSeries, and who waits for it."""

from __future__ import annotations

import numpy as np

from adsupport.sim.plugins.time_series import TimeSeries


def test_a_client_does_not_wait_for_a_plugin_that_blocks(chain):
    series = chain.add(TimeSeries, "TS")
    listener = chain.held("P", "TS", BLOCKING_CALLBACKS=1)
    series.write("TS_ACQUIRE", 1)
    chain.emit(1, data=np.arange(8.0))
    series.when_processed().result(20)
    series.write("TS_READ", 1)
    assert listener.has_begun()
    # the listener, which has the first series, is still at work
    series.write("TS_ACQUIRE", 0)
    assert series.get("TS_CURRENT_POINT") == 1
    listener.release()
    series.when_processed().result(20)
    assert listener.taken == [0, 1]
