"""KBUS for asyncio.

    async with await kbus.aio.open_ksock(0) as ksock:
        await ksock.bind('$.Door.*')
        async for msg in ksock:
            print(msg)

    reply = await ksock.call(Request('$.Lamp.Set', 'on'))

It speaks with the daemon's socket only, and never blocks: any number of tasks may use one Ksock, each waiting for its
own answer. Being cancelled takes nothing away: a message that came too late for its task waits for the next.
"""

from .ksock import Ksock, open_ksock, serve
from .tap import Tap, open_tap

__all__ = ["Ksock", "Tap", "open_ksock", "open_tap", "serve"]
