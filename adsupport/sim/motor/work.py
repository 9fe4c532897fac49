"""What a motor record does next: stop, home, jog, tweak, move, retry, backlash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.motor.axis import nearest_step
from adsupport.sim.motor.fields import user_limits
from adsupport.sim.motor.states import (
    SPMG_GO,
    SPMG_MOVE,
    SPMG_PAUSE,
    SPMG_STOP,
    STUP_BUSY,
    STUP_ON,
    Mip,
)

if TYPE_CHECKING:
    from adsupport.sim.motor.record import MotorRecord


def examine(motor: MotorRecord) -> None:
    """Look at the record's fields and start what they ask for."""
    if motor["STUP"] == STUP_ON:
        motor.change("STUP", STUP_BUSY)
        motor.ask_status()
    if (motor["SPMG"] != motor["LSPG"] or motor["STOP"]) and _switch(motor):
        return
    if motor.resolution_changed:
        motor.resolution_changed = False
        motor.change("RDBD", max(motor["RDBD"], abs(motor["MRES"])))
        load_position(motor)
        return
    if _home(motor) or _jog(motor):
        return
    _collect_targets(motor)
    if motor["VAL"] != motor["LVAL"]:
        motor.mark("VAL")
        if motor["SET"] and not motor["FOFF"]:
            _set_offset(motor)
            return
        motor["DVAL"] = motor.to_dial(motor["VAL"])
    if motor.halted:
        return
    if motor["DVAL"] != motor["LDVL"] or not motor["DMOV"]:
        _go_to_target(motor)
    elif motor["SYNC"] and motor.mip == Mip.DONE:
        motor.take_read_back_as_target()
        motor.change("SYNC", 0)


def _switch(motor: MotorRecord) -> bool:
    """Obey STOP and the Stop/Pause/Move/Go switch; return whether that was all."""
    stop = bool(motor["STOP"])
    if motor["SPMG"] != motor["LSPG"]:
        motor["LSPG"] = motor["SPMG"]
    else:
        motor["STOP"] = 0
        motor.mark("STOP")
    mip = motor.mip
    if motor.halted or stop:
        if motor["SPMG"] == SPMG_STOP or stop:
            if mip == Mip.DONE or mip & (Mip.STOP | Mip.RETRY):
                if mip & Mip.RETRY:
                    motor.mip = Mip.DONE
                    motor.put_marked("DMOV", 1)
                motor.axis.stop()
                return True
            if motor["MOVN"]:
                motor.post_process = True
                motor.clear_buttons()
            else:
                motor.take_read_back_as_target()
                motor.ask_status()  # an axis at rest reports nothing new
        if mip & Mip.HOME:
            motor.clear_buttons()
        motor.mip = Mip.STOP
        motor.axis.stop()
        return True
    if motor["SPMG"] == SPMG_GO:
        if (motor["JOGF"] and not motor["HLS"]) or (motor["JOGR"] and not motor["LLS"]):
            motor.mip = Mip.JOG_REQ
        elif mip == Mip.STOP:
            motor.mip = Mip.DONE
    elif not motor["MOVN"]:
        motor.mip = Mip.DONE
        motor.put_marked("RCNT", 0)
    return False


def _home(motor: MotorRecord) -> bool:
    """Start a home search that was asked for; return whether there is one to start."""
    straight = motor.sign > 0
    for button, mip, limit in (
        ("HOMF", Mip.HOMF, "HLS" if straight else "LLS"),
        ("HOMR", Mip.HOMR, "LLS" if straight else "HLS"),
    ):
        if not motor[button] or motor.mip & mip or motor[limit]:
            continue
        if motor.halted:
            motor.put_marked("DMOV", 0)
            return True
        motor.mip = mip
        motor.post_process = True
        if motor["MOVN"]:
            motor.mip |= Mip.STOP
            motor.axis.stop()
        else:
            _find_home(motor)
        return True
    return False


def _find_home(motor: MotorRecord) -> None:
    steps = abs(motor["MRES"])
    forward = bool(motor.mip & Mip.HOMF) == (motor["MRES"] > 0)
    speed = motor["HVEL"] / steps
    ramp = (motor["HVEL"] - motor["VBAS"]) / steps / motor["ACCL"]
    motor["CDIR"] = int(forward)
    motor.put_marked("DMOV", 0)
    motor.put_marked("RCNT", 0)
    motor.axis.find_home(speed if forward else -speed, ramp)


def _jog(motor: MotorRecord) -> bool:
    """Start or stop a jog; return whether the record is busy with one."""
    mip = motor.mip
    if not mip & Mip.JOG and not motor.halted and mip & Mip.JOG_REQ:
        limited = not motor["DHLM"] == motor["DLLM"] == 0
        upwards = motor["JOGF"] and motor["DVAL"] > motor["DHLM"] - motor["JVEL"]
        downwards = motor["JOGR"] and motor["DVAL"] < motor["DLLM"] + motor["JVEL"]
        if limited and (upwards or downwards):
            motor.put_marked("LVIO", 1)
            return True
        motor.mip = Mip.JOGF if motor["JOGF"] else Mip.JOGR
        motor.post_process = True
        if motor["MOVN"]:
            motor.mip |= Mip.STOP
            motor.axis.stop()
        else:
            start_jog(motor)
        return True
    if not mip & Mip.JOG_REQ and mip & (Mip.JOGF | Mip.JOGR):
        motor.post_process = True
        motor.mip = (mip | Mip.JOG_STOP) & ~(Mip.JOGF | Mip.JOGR)
        motor.axis.stop()
        return True
    return bool(mip & (Mip.JOG_STOP | Mip.JOG_BL1 | Mip.JOG_BL2))


def start_jog(motor: MotorRecord) -> None:
    """Run at the jog velocity."""
    velocity = motor["JVEL"] * motor.sign / motor["MRES"] * (1 if motor["JOGF"] else -1)
    motor.put_marked("DMOV", 0)
    motor["CDIR"] = int(velocity > 0)
    motor.axis.run_at(velocity, motor["JAR"] / abs(motor["MRES"]))


def _collect_targets(motor: MotorRecord) -> None:
    """Turn tweaks, relative and raw targets into VAL or DVAL."""
    for button, step in (("TWF", motor["TWV"]), ("TWR", -motor["TWV"])):
        if motor[button]:
            motor["VAL"] += step
            motor.change(button, 0)
    if motor["RLV"] != motor["LRLV"]:
        motor["VAL"] += motor["RLV"]
        motor["RLV"] = motor["LRLV"] = 0.0
        motor.mark("RLV")
    if motor["RVAL"] != motor["LRVL"]:
        motor["DVAL"] = motor["RVAL"] * motor["MRES"]


def _set_offset(motor: MotorRecord) -> None:
    """SET: call the present position VAL, by another offset."""
    motor["OFF"] = motor["VAL"] - motor["DVAL"] * motor.sign
    motor["RBV"] = motor.to_user(motor["DRBV"])
    motor.mark("OFF", "RBV")
    user_limits(motor)
    motor["LVAL"] = motor["VAL"]
    motor.mip = Mip.DONE
    motor.put_marked("DMOV", 1)


def load_position(motor: MotorRecord) -> None:
    """Tell the axis that it stands at DVAL."""
    motor.put_marked("RVAL", nearest_step(motor["DVAL"] / motor["MRES"]))
    if motor["FOFF"]:
        motor.put_marked("VAL", motor.to_user(motor["DVAL"]))
    else:
        motor.put_marked("OFF", motor["VAL"] - motor["DVAL"] * motor.sign)
        user_limits(motor)
    motor.keep_targets()
    motor.mip = Mip.LOAD_P
    motor.put_marked("DMOV", 0)
    motor.axis.load_position(motor["DVAL"] / motor["MRES"])


def _go_to_target(motor: MotorRecord) -> None:
    if motor["DVAL"] != motor["LDVL"]:
        motor.mark("DVAL")
    motor.show_difference()
    if motor["SET"]:
        if not motor.mip & Mip.LOAD_P:
            load_position(motor)
        return
    motor["VAL"] = motor.to_user(motor["DVAL"])
    motor["RVAL"] = nearest_step(motor["DVAL"] / motor["MRES"])
    if motor["VAL"] != motor["LVAL"]:
        motor.mark("VAL")
    if motor["RVAL"] != motor["LRVL"]:
        motor.mark("RVAL")
    retry = bool(motor.mip & Mip.RETRY)
    steps = abs(motor["RVAL"] - nearest_step(motor["DRBV"] / motor["MRES"]))
    if steps < (nearest_step(motor["RDBD"] / abs(motor["MRES"])) if retry else 1):
        if motor.mip in (Mip.DONE, Mip.RETRY):
            motor.put_marked("DMOV", 1)
            motor.mip = Mip.DONE
        motor.keep_targets()
        return
    if not retry:
        motor.put_marked("RCNT", 0)
    if _outside_limits(motor):
        _restore_targets(motor)
    elif motor.mip in (Mip.DONE, Mip.RETRY):
        _move(motor)


def _prefers_direction(motor: MotorRecord) -> bool:
    """Whether the move goes the way in which backlash is taken out."""
    return (motor["DVAL"] > motor["LDVL"]) == (motor["BDST"] > 0)


def _outside_limits(motor: MotorRecord) -> bool:
    low, high, target, last = motor["DLLM"], motor["DHLM"], motor["DVAL"], motor["LDVL"]
    returning = high < target < last or low > target > last
    if low == high == 0 or returning:
        outside = False
    else:
        farthest = target if _prefers_direction(motor) else target - motor["BDST"]
        outside = not low <= farthest <= high
    motor.put_marked("LVIO", int(outside))
    return outside


def _restore_targets(motor: MotorRecord) -> None:
    motor["VAL"], motor["DVAL"], motor["RVAL"] = motor["LVAL"], motor["LDVL"], motor["LRVL"]
    motor.mark("VAL", "DVAL", "RVAL")
    if motor.mip & Mip.RETRY:
        motor.mip = Mip.DONE
    if motor.mip == Mip.DONE:
        motor.put_marked("DMOV", 1)


def _move(motor: MotorRecord) -> None:
    motor.mip |= Mip.MOVE
    motor.put_marked("DMOV", 0)
    resolution = motor["MRES"]
    last, target = motor["LDVL"] / resolution, motor["DVAL"] / resolution
    position = last + motor["FRAC"] * (target - last)
    backlash = motor["BDST"]
    same_speed = motor["BVEL"] == motor["VELO"] and motor["BACC"] == motor["ACCL"]
    slow = False
    if abs(backlash) >= abs(resolution) and not (_prefers_direction(motor) and same_speed):
        slow = _prefers_direction(motor) and abs(target - last) <= 1 + abs(backlash / resolution)
        if not slow:  # go to one backlash distance before the target, then on from there
            position = (motor["DVAL"] - backlash) / resolution
            motor.post_process = True
    motor.keep_targets()
    motor["CDIR"] = int(motor["RDIF"] >= 0)
    _send_move(motor, position, "BVEL" if slow else "VELO", "BACC" if slow else "ACCL")


def _send_move(motor: MotorRecord, position: float, speed: str, ramp: str) -> None:
    steps = abs(motor["MRES"])
    acceleration = (motor[speed] - motor["VBAS"]) / steps / motor[ramp]
    motor.axis.move_to(position, motor[speed] / steps, acceleration)


def finish(motor: MotorRecord) -> None:
    """Do what was put off until the axis stood still."""
    motor.post_process = False
    mip = motor.mip
    if not mip & (Mip.MOVE | Mip.MOVE_BL | Mip.JOG_BL1 | Mip.JOG_BL2):
        motor.take_read_back_as_target()
    if mip & Mip.LOAD_P:
        motor.mip = Mip.DONE
    elif mip & Mip.HOME:
        _after_stop_or_home(motor)
    elif mip & (Mip.JOGF | Mip.JOGR) and mip & Mip.STOP:
        # the button is still down: now jog
        motor.mip &= ~Mip.STOP
        motor.post_process = True
        start_jog(motor)
        motor.unmark("DMOV")
    elif mip & (Mip.JOG_STOP | Mip.MOVE):
        motor.mip &= ~(Mip.JOG_STOP | Mip.MOVE)
        if abs(motor["BDST"]) >= abs(motor["MRES"]):
            _take_out_backlash(motor, after_jog=bool(mip & Mip.JOG_STOP))
    elif mip & Mip.JOG_BL1:
        motor.mip = Mip.JOG_BL2
        _continue(motor, motor["DVAL"] / motor["MRES"], "BVEL", "BACC")
    motor.keep_targets()
    motor.mip &= ~Mip.STOP


def _after_stop_or_home(motor: MotorRecord) -> None:
    if motor.mip & Mip.STOP:
        motor.mip &= ~Mip.STOP
        motor.post_process = True
        _find_home(motor)
        motor.unmark("DMOV")
        return
    motor.put_marked("HOMF" if motor.mip & Mip.HOMF else "HOMR", 0)
    motor.mip &= ~Mip.HOME


def _take_out_backlash(motor: MotorRecord, *, after_jog: bool) -> None:
    if after_jog:
        motor.mip = Mip.JOG_BL1
        _continue(motor, (motor["DVAL"] - motor["BDST"]) / motor["MRES"], "VELO", "ACCL")
    else:
        motor.mip = Mip.MOVE_BL
        _continue(motor, motor["DVAL"] / motor["MRES"], "BVEL", "BACC")


def _continue(motor: MotorRecord, position: float, speed: str, ramp: str) -> None:
    """Move on without having been done in between."""
    motor["DMOV"] = 0
    motor.unmark("DMOV")
    motor["CDIR"] = int(position >= motor["DRBV"] / motor["MRES"])
    motor.post_process = True
    _send_move(motor, position, speed, ramp)


def retry_if_needed(motor: MotorRecord) -> None:
    """End the motion, or try again when the axis is not where it should be."""
    if abs(motor["DIFF"]) >= motor["RDBD"] and not motor["HLS"] and not motor["LLS"]:
        if not motor["RTRY"]:
            motor.mip &= Mip.JOG_REQ
            return
        motor.put_marked("RCNT", motor["RCNT"] + 1)
        if motor["RCNT"] > motor["RTRY"]:
            motor.mip = Mip.DONE
            motor.keep_targets()
            motor.put_marked("MISS", 1)
            return
        motor["DMOV"] = 0
        motor.unmark("DMOV")
        motor.mip = Mip.RETRY
        return
    motor.mip &= Mip.JOG_REQ
    motor.put_marked("MISS", 0)
    if motor["SPMG"] == SPMG_MOVE:
        motor["SPMG"] = SPMG_PAUSE
        motor.mark("SPMG")
