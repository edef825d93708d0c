"""Messages, under the name by which the original's programs import them."""

from .bindevent import split_replier_bind_event_data
from .ids import MessageId, OrigFrom
from .kinds import Announcement, Reply, Request, Status, reply_to, stateful_request
from .layout import (MSG_HEADER_LEN, c_data_as_bytes, calc_entire_message_len, calc_padded_data_len,
                     calc_padded_name_len)
from .message import Message, message_from_parts
from .show import hexdata, hexify

__all__ = [
    "Announcement", "MSG_HEADER_LEN", "Message", "MessageId", "OrigFrom", "Reply", "Request", "Status",
    "c_data_as_bytes", "calc_entire_message_len", "calc_padded_data_len", "calc_padded_name_len", "hexdata", "hexify",
    "message_from_parts", "reply_to", "split_replier_bind_event_data", "stateful_request",
]
