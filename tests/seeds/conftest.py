"""What both seed sessions need: pictures without a display."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
