"""Simulated general-purpose synApps IOC: 16 motors and 10 user calculations.

Run it: ``adsupport ioc gp --prefix gp:``, or this file itself.
"""

from adsupport.sim.ioc import IOC, boot
from adsupport.sim.motor.group import MotorGroup
from adsupport.sim.synapps.user_calcs import add_user_calcs

MOTORS = 16


def make(prefix: str) -> IOC:
    """Compose the IOC.

    Parameters
    ----------
    prefix : str
        Prefix of every record, such as ``gp:``.

    Returns
    -------
    IOC
        Ready to be served.
    """
    ioc = IOC("gp", prefix)
    MotorGroup(ioc, MOTORS)
    add_user_calcs(ioc)
    for number in range(1, 11):
        ioc.load(["userAve"], "", macros={"N": str(number)})
    ioc.load(["synApps"], "")
    return ioc


if __name__ == "__main__":
    boot(make, name="gp", prefix="gp:")
