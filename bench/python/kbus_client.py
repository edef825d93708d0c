#!/usr/bin/python3
"""KBUS from Python: a call for each question, and a service that answers."""

import time

import frame
import kbus
from kbus.serving import Service

NAME = "$.Bench.Python.Echo"


def open_asker():
    ksock = kbus.open(0)
    while ksock.find_replier(NAME) is None:  # it says that it is ready before it binds
        time.sleep(0.001)
    return lambda data: ksock.call(kbus.Request(NAME, data)).data


def serve(ready):
    service = Service()
    service.replier(NAME)(lambda request: request.data)
    ready()
    service.serve(kbus.open(0))


frame.main("kbus/python", open_asker, serve)
