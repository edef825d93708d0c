#!/bin/sh
# msgpack for Python (Debian's python3-msgpack 1.0.3-2+b1): a map with numbers as keys is refused, though the same library writes it.
#
# Guess, written down before the first run: unpackb of the three bytes 81 01 02 is {1: 2}.
# Seen: packb({1: 2}) writes these bytes, and unpackb refuses them: "int is not allowed for map key when strict_map_key=True", which
# is the default. The C and JavaScript programs at the other end, for which numbers as keys are ordinary and short, never see it.
#
# For KBUS's users, who bring their own format: agree on text as keys, or read with strict_map_key=False.
#
# Needs apt-get and Debian 12's Python 3 (/usr/bin/python3).
. "$(dirname "$0")/begin.sh"
debian_packages python3-msgpack=1.0.3-2+b1
timeout 60 /usr/bin/python3 >seen <<'E'
import msgpack
written = msgpack.packb({1: 2})
print("written:", written.hex())
try:
    print("read:", msgpack.unpackb(written))
except ValueError as e:
    print("read:", e)
print("with strict_map_key=False:", msgpack.unpackb(written, strict_map_key=False))
E
as_found <<'E'
written: 810102
read: int is not allowed for map key when strict_map_key=True
with strict_map_key=False: {1: 2}
E
