#!/bin/sh
# Scapy 2.5.0 (Debian's python3-scapy 2.5.0+dfsg-2): times in a capture file that are not those of the file.
#
# Guess, written down before the first run, for this and another reader of pcapng: nanoseconds are exact, an interface's offset is
# added, a second section is read on, and a Simple Packet Block, which has no time, is given with its bytes. (The other one, gopacket
# 1.7.7, does all of that.)
# Seen: nanoseconds are exact, also of several interfaces and of a second section in the other byte order. The offset of an interface
# (if_tsoffset) is left out, so packets come from 1970. A Simple Packet Block gets the time at which it is *read*; and if the
# interface has no limit of length (a snaplen of 0), it has no bytes.
#
# For those who read captures of a bus with Scapy: recorders that write Enhanced Packet Blocks and no offset, as `kbus record` does,
# are read right. Others can be rewritten first: editcap puts the offset into the times.
#
# Needs apt-get and Python. Opens no socket.
. "$(dirname "$0")/begin.sh"
debian_packages python3-scapy=2.5.0+dfsg-2
cat >main.py <<'E'
import logging, struct, time
logging.disable(logging.CRITICAL)
from scapy.utils import PcapNgReader

def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)

def option(code, value):
    return struct.pack('<HH', code, len(value)) + value + bytes(-len(value) % 4)

section = block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1))

def interface(snaplen, offset=None):
    options = option(9, bytes([9]))                       # if_tsresol: nanoseconds
    if offset is not None:
        options += option(14, struct.pack('<q', offset))  # if_tsoffset: seconds
    return block(1, struct.pack('<HHI', 147, 0, snaplen) + options + option(0, b''))

def packet(nanoseconds, data):
    return block(6, struct.pack('<IIIII', 0, nanoseconds >> 32, nanoseconds & 0xffffffff, len(data), len(data)) + data + bytes(-len(data) % 4))

def simple(data):
    return block(3, struct.pack('<I', len(data)) + data)

second = 1700000000
def shows(what, *blocks):
    with open('file.pcapng', 'wb') as f:
        f.write(section + b''.join(blocks))
    began = time.time()
    for p in PcapNgReader('file.pcapng'):
        when = 'now' if began - 1 <= p.time <= time.time() + 1 else str(p.time)
        print('{}: {} at {}'.format(what, bytes(p), when))

shows('enhanced', interface(0), packet(second * 10**9 + 123456789, b'four'))
shows('enhanced, with an offset', interface(0, second), packet(123456789, b'four'))
shows('simple, snaplen 0', interface(0), simple(b'four'))
shows('simple, snaplen 65535', interface(65535), simple(b'four'))
E
python3 main.py >seen
as_found <<'E'
enhanced: b'four' at 1700000000.123456789
enhanced, with an offset: b'four' at 0.123456789
simple, snaplen 0: b'' at now
simple, snaplen 65535: b'four' at now
E
