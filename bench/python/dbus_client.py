#!/usr/bin/python3
"""D-Bus from Python, by dbus-python: a blocking method call for each question. BUS_ADDRESS says where the bus is."""

import os

import dbus
import dbus.bus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

import frame

NAME, PATH = "bench.Python", "/bench"


def open_asker():
    bus = dbus.bus.BusConnection(os.environ["BUS_ADDRESS"])
    echo = bus.get_object(NAME, PATH, introspect=False).get_dbus_method("Echo", NAME)
    return lambda data: echo(dbus.ByteArray(data), signature="ay", byte_arrays=True)


class Echo(dbus.service.Object):
    @dbus.service.method(NAME, in_signature="ay", out_signature="ay", byte_arrays=True)
    def Echo(self, data):
        return data


def serve(ready):
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(os.environ["BUS_ADDRESS"])
    here = Echo(bus, PATH)
    name = dbus.service.BusName(NAME, bus)
    GLib.idle_add(lambda: ready() and False)
    GLib.MainLoop().run()
    del here, name


frame.main("dbus-python", open_asker, serve)
