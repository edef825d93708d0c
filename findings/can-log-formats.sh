#!/bin/sh
# python-can 4.1.0 (Debian's python3-can 4.1.0-1): most of its own log formats do not give back what was recorded.
#
# Guess, written down before the first run: can.Logger writes a frame to a .blf, .csv, .db or .log file, and can.LogReader gives it back
# with the same time, to the microsecond, kind, flags, data and direction.
# Seen: .csv and .db (SQLite) give every CAN FD frame as a classic one, of up to 64 bytes, and what was sent as received. .blf shifts all times
# of a file by the part of a millisecond that its first one has. .log (candump) loses the length of a remote frame.
#
# For a recorder beside a bus: write .log, or .blf where a millisecond does not matter.
#
# Needs apt-get and Debian 12's Python 3 (/usr/bin/python3). Opens no socket.
. "$(dirname "$0")/begin.sh"
debian_packages python3-can=4.1.0-1 python3-wrapt=1.14.1-2+b2 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 python3-typing-extensions=4.4.0-1
timeout 60 /usr/bin/python3 >seen <<'E'
import can

at = 1700000000
frames = {
    "data": can.Message(timestamp=at + 0.123456, arbitration_id=0x123, is_extended_id=False, data=b"on"),
    "sent": can.Message(timestamp=at + 0.2, arbitration_id=0x123, is_extended_id=False, data=b"on", is_rx=False),
    "remote": can.Message(timestamp=at + 0.3, arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=5),
    "CAN FD": can.Message(timestamp=at + 0.4, arbitration_id=0x123, is_extended_id=False, is_fd=True, bitrate_switch=True, data=bytes(64)),
}
parts = ("arbitration_id", "is_extended_id", "is_remote_frame", "is_fd", "bitrate_switch", "dlc", "is_rx", "data")
for ending in "blf", "csv", "db", "log":
    name = "frames." + ending
    logger = can.Logger(name)
    for frame in frames.values():
        logger(frame)
    logger.stop()
    for (what, was), now in zip(frames.items(), can.LogReader(name)):
        changed = ["{}: {} becomes {}".format(p, getattr(was, p), getattr(now, p)) for p in parts if getattr(was, p) != getattr(now, p)]
        late = round((now.timestamp - was.timestamp) * 1e6)
        if late:
            changed.insert(0, "{} us".format(late))
        print("{}, {}: {}".format(ending, what, "; ".join(changed) or "the same"))
E
as_found <<'E'
blf, data: -456 us
blf, sent: -456 us
blf, remote: -456 us
blf, CAN FD: -456 us
csv, data: the same
csv, sent: is_rx: False becomes True
csv, remote: the same
csv, CAN FD: is_fd: True becomes False; bitrate_switch: True becomes False
db, data: the same
db, sent: is_rx: False becomes True
db, remote: the same
db, CAN FD: is_fd: True becomes False; bitrate_switch: True becomes False
log, data: the same
log, sent: the same
log, remote: dlc: 5 becomes 0
log, CAN FD: the same
E
