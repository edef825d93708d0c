#!/bin/sh
# LZ4 for Python 4.0.2 (Debian's python3-lz4 4.0.2+dfsg-1+b2): of two frames in a row the second is thrown away.
#
# Guess, written down before the first run, for three readers of LZ4 and Zstandard: frames that follow each other, as the formats allow, are
# all read, or there is an error. (pierrec/lz4 4.1.33 and fzstd 0.1.1 read all.)
# Seen: lz4.frame.open reads both. lz4.frame.decompress gives the first and says nothing of the rest; with return_bytes_read it tells
# how far it came.
#
# For those who read what a recorder has appended to, or what was joined by cat: use lz4.frame.open. A chunk of an MCAP file is one frame.
#
# Needs apt-get and Debian 12's Python 3 (/usr/bin/python3).
. "$(dirname "$0")/begin.sh"
debian_packages python3-lz4=4.0.2+dfsg-1+b2
timeout 60 /usr/bin/python3 >seen <<'E'
import io
import lz4.frame
two = lz4.frame.compress(b"first ") + lz4.frame.compress(b"second")
print("open:", lz4.frame.open(io.BytesIO(two)).read())
print("decompress:", lz4.frame.decompress(two))
data, read = lz4.frame.decompress(two, return_bytes_read=True)
print("of them it has read half:", read == len(two) / 2)
E
as_found <<'E'
open: b'first second'
decompress: b'first '
of them it has read half: True
E
