"""States of a motor record and their numbers over Channel Access."""

from __future__ import annotations

from enum import IntFlag

HIGH_ALARM, LOW_ALARM = 4, 6
"""Channel Access alarm statuses of a motor at a limit, when HLSV gives it a severity."""


class Mip(IntFlag):
    """Motion in progress: what the record waits for."""

    DONE = 0
    JOGF = 0x1
    JOGR = 0x2
    HOMF = 0x8
    HOMR = 0x10
    MOVE = 0x20
    RETRY = 0x40
    LOAD_P = 0x80
    MOVE_BL = 0x100
    STOP = 0x200
    DELAY_REQ = 0x400
    DELAY_ACK = 0x800
    JOG_REQ = 0x1000
    JOG_STOP = 0x2000
    JOG_BL1 = 0x4
    JOG_BL2 = 0x4000
    EXTERNAL = 0x8000
    JOG = JOGF | JOGR | JOG_BL1 | JOG_BL2
    HOME = HOMF | HOMR


SPMG_STOP, SPMG_PAUSE, SPMG_MOVE, SPMG_GO = range(4)
"""States of the Stop/Pause/Move/Go switch."""

STUP_OFF, STUP_ON, STUP_BUSY = range(3)
"""States of a status update."""
