"""KBUS, a message bus for the processes of one machine.

    from kbus import *

    with Ksock(0) as ksock:
        ksock.bind('$.Door.*')
        ksock.send_msg(Announcement('$.Door.Opened', 'front'))
        for msg in ksock:
            print(msg)          # <Announcement '$.Door.Opened', id=[0:1], from=1, data=b'front'>

This is the API of the original's Python package. On top of it are `Ksock.call`, `kbus.serving` (Repliers as decorated
functions) and `kbus.aio` (asyncio); `kbus.limpet` joins two buses. docs/python.md tells more.
"""

from . import ksock as _ksock
from .bindevent import split_replier_bind_event_data
from .conditions import KbusError, NoReply
from .ids import MessageId, OrigFrom, Sent
from .kinds import Announcement, Reply, Request, Status, reply_to, stateful_request
from .ksock import Ksock
from .layout import (MSG_HEADER_LEN, c_data_as_bytes, calc_entire_message_len, calc_padded_data_len,
                     calc_padded_name_len)
from .message import Message, message_from_parts
from .peer import Peer
from .reopen import Reopened
from .report import read_bindings
from .show import hexdata, hexify
from .tap import Tap
from .tapevent import TapEvent
from .trace import Trace

__version__ = "0.2.0"

open = _ksock.open  # not in __all__, where it would hide Python's own

__all__ = [
    "Announcement", "KbusError", "Ksock", "MSG_HEADER_LEN", "Message", "MessageId", "NoReply", "OrigFrom", "Peer",
    "Reopened", "Reply", "Request", "Sent", "Status", "Tap", "TapEvent", "Trace", "c_data_as_bytes", "calc_entire_message_len",
    "calc_padded_data_len", "calc_padded_name_len", "hexdata", "hexify", "message_from_parts", "read_bindings", "reply_to",
    "split_replier_bind_event_data", "stateful_request",
]
