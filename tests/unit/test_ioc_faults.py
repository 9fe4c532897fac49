"""What is asked of an IOC that may have ended."""

from __future__ import annotations

import io

import pytest

from adsupport.errors import IOCError
from adsupport.ioc_faults import Conversation, RunningFault


class BrokenPipe(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_a_fault_ends_with_its_ioc_also_before_the_end_was_heard_of() -> None:
    conversation = Conversation("adsim", BrokenPipe())
    fault = RunningFault(conversation, 1, "kill cam1")
    with pytest.raises(IOCError, match="has ended"):
        Conversation("adsim", BrokenPipe()).ask(begin="kill cam1")
    fault.end()
    assert not conversation.faults
