#!/bin/sh
# Two servers, one Unix socket path. ZeroMQ (libzmq 4.3.5 of the npm package zeromq 6.5.0): the second takes the path from the
# first, which goes on and hears of nobody any more.
#
# Guess, written down before the first run: the second is refused (EADDRINUSE), as nng, the kernel's own bind and Go's net.Listen
# do, since the first still listens.
# Seen: bind to ipc:// succeeds in the second process and removes the first one's socket; clients that connect from now on reach
# the second; when the second ends, new clients reach nobody, though the first still runs and has been told nothing.
# (redis 7.0.15, mosquitto 2.0.11 and dbus-daemon 1.14.10 do the same with `unixsocket`, `listener 0 PATH` and `unix:path=`, and take
# the path away at their end.)
#
# For those who move from ipc:// sockets: an address there is no lock. kbusd locks its directory, refuses to be the second, and
# removes no socket behind which somebody listens.
#
# Needs Node.js and npm. Uses a Unix socket only.
. "$(dirname "$0")/begin.sh"
npm_packages zeromq@6.5.0
cat >server.js <<'E'
const {Reply} = require("zeromq"), [, , path, name] = process.argv
const run = async () => {
	const s = new Reply()
	try { await s.bind("ipc://" + path) } catch (e) { console.log(name, "refused:", e.message); return }
	console.log(name, "bound")
	for await (const _ of s) await s.send(name)
}
setTimeout(() => process.exit(1), 60000).unref()
run()
E
cat >ask.js <<'E'
const {Request} = require("zeromq"), [, , path] = process.argv
const run = async () => {
	const s = new Request({receiveTimeout: 2000, linger: 0})
	s.connect("ipc://" + path)
	await s.send("who is there?")
	try { console.log("a new client reaches", String((await s.receive())[0])) } catch { console.log("a new client reaches nobody") }
	s.close()
}
run()
E
node server.js "$dir/s" first >one & pids=$!
until_said one first
node ask.js "$dir/s" >seen
node server.js "$dir/s" second >two & second=$!
pids="$pids $second"
until_said two second
cat two >>seen
node ask.js "$dir/s" >>seen
kill $second
wait $second 2>/dev/null || true
node ask.js "$dir/s" >>seen
as_found <<'E'
a new client reaches first
second bound
a new client reaches second
a new client reaches nobody
E
