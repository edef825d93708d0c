#!/bin/sh
# dbus-next 0.10.2 (D-Bus for Node.js): when the bus goes away, an open call never ends.
#
# Guess, written down before the first run: the daemon is killed while a call is open: its promise is rejected at once, as godbus
# and python3-dbus-next do.
# Seen: nothing happens at all: no rejection, no event, five seconds long and longer (there is no time limit for a call). Only the next
# call shows it: the bus has the event "error", "Tried to write a message to a closed stream", and that call does not end either.
#
# For those who come from D-Bus: put your own time limit around each call there. Here each open Request gets the Status
# `$.KBUS.Bus.GoneAway`, and every later call an error.
#
# Needs Node.js, npm and apt-get (for Debian's dbus-daemon 1.14.10). Uses a Unix socket only.
. "$(dirname "$0")/begin.sh"
npm_packages dbus-next@0.10.2
debian_packages dbus-daemon=1.14.10-1~deb12u1 libdbus-1-3=1.14.10-1~deb12u1
cat >bus.conf <<E
<busconfig>
	<type>session</type>
	<listen>unix:path=$dir/bus</listen>
	<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
E
cat >main.js <<'E'
const dbus = require("dbus-next"), {spawn} = require("child_process"), pause = ms => new Promise(done => setTimeout(done, ms))
const daemon = spawn("dbus-daemon", ["--nofork", "--config-file=bus.conf", "--print-address=1"], {stdio: ["ignore", "pipe", "ignore"]})
process.on("exit", () => daemon.kill("SIGKILL")).on("SIGTERM", () => process.exit(1))
daemon.stdout.once("data", async address => {
	const busAddress = String(address).trim()
	const service = dbus.sessionBus({busAddress}), client = dbus.sessionBus({busAddress})
	service.on("error", () => {})
	client.on("error", e => console.log("event error:", e.message))
	let asked
	const wasAsked = new Promise(done => asked = done)
	class Lamp extends dbus.interface.Interface {
		Wait() { asked(); return new Promise(() => {}) }
	}
	Lamp.configureMembers({methods: {Wait: {outSignature: "s"}}})
	service.export("/lamp", new Lamp("finding.Lamp"))
	await service.requestName("finding.Lamp")
	const lamp = (await client.getProxyObject("finding.Lamp", "/lamp")).getInterface("finding.Lamp")
	const call = () => lamp.Wait().then(() => "answered", e => "rejected: " + e.message)
	const open = call()
	await wasAsked
	const dead = new Promise(done => daemon.once("exit", done))
	daemon.kill("SIGKILL")
	await dead
	console.log("open call, 5 seconds after:", await Promise.race([open, pause(5000).then(() => "still open")]))
	const next = call()
	console.log("next call, 5 seconds after:", await Promise.race([next, pause(5000).then(() => "still open")]))
	process.exit()
})
E
timeout 60 node main.js >seen
as_found <<'E'
open call, 5 seconds after: still open
event error: Tried to write a message to a closed stream
next call, 5 seconds after: still open
E
