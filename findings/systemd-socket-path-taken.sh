#!/bin/sh
# systemd 252.39 (Debian's systemd-socket-activate): a socket unit's code takes the path of a daemon that is running.
#
# Guess, written down before the first run: the second to listen on one path is refused, "Address already in use", since somebody
# listens there.
# Seen: systemd-socket-activate removes the living socket and binds its own: from then on new clients reach the second, the first
# hears of nobody any more and is not told; when the second ends, new clients are refused. No option asks whether anybody is there.
# (Measured with this tool; systemd itself opens the sockets of its units with the same function.)
#
# For KBUS's users: a daemon started by hand goes on for those who are connected, while a socket unit that is started later gets all
# new ones: one bus has become two. Run it one way only. (kbusd itself refuses to be the second.)
#
# Needs apt-get and Python 3. Uses a Unix socket only.
. "$(dirname "$0")/begin.sh"
debian_packages systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
export LD_LIBRARY_PATH="$libraries/systemd:$libraries"
cat >server.sh <<'E'
echo "a new client reaches the $1" >>"$2"
exec sleep 60
E
ask() { timeout 10 python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("socket"); print("connected")' 2>&1 | tail -n 1; }
systemd-socket-activate -l "$dir/socket" sh server.sh first seen 2>first & pids=$!
until_said first Listening
ask >/dev/null
until_said seen first
systemd-socket-activate -l "$dir/socket" sh server.sh second seen 2>second & pids="$pids $!"
until_said second Listening
ask >/dev/null
until_said seen second
kill $!
wait $! 2>/dev/null || true
echo "the second has ended: $(ask)" >>seen
kill -0 "${pids% *}" && echo "the first is still running" >>seen
as_found <<'E'
a new client reaches the first
a new client reaches the second
the second has ended: ConnectionRefusedError: [Errno 111] Connection refused
the first is still running
E
