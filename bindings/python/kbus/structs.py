"""The structures that the ioctls of a device take, for programs that call ioctl themselves."""

from __future__ import annotations

import ctypes


class BindStruct(ctypes.Structure):
    """Of IOC_BIND and IOC_UNBIND."""

    _fields_ = [("is_replier", ctypes.c_uint32), ("name_len", ctypes.c_uint32), ("name", ctypes.c_char_p)]


class ReplierStruct(ctypes.Structure):
    """Of IOC_REPLIER: the id is the answer."""

    _fields_ = [("return_id", ctypes.c_uint32), ("name_len", ctypes.c_uint32), ("name", ctypes.c_char_p)]


class SendResultStruct(ctypes.Structure):
    """Of IOC_SEND and IOC_LASTSENT: the id of a message."""

    _fields_ = [("network_id", ctypes.c_uint32), ("serial_num", ctypes.c_uint32)]
