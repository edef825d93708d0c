#!/bin/sh
# mosquitto 2.0.11: a message of QoS 1 above message_size_limit is acknowledged and thrown away.
#
# Guess, written down before the first run: the publish fails, with an error or a lost connection.
# Seen: with MQTT 3.1.1 the broker acknowledges the message as any other and passes it to nobody (the manual does say so).
#
# For those who come from MQTT: an acknowledgement of QoS 1 does not even say that the broker has the message. `reached` here counts
# queues in which it lies, and too large a message is an error that names the limit.
#
# Needs apt-get, Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages mqtt@5.16.0
debian_packages mosquitto=2.0.11-1.2+deb12u2 libdlt2=2.18.8-6 libwrap0=7.6.q-32
port=$(free_port)
printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "user $(id -un)" "message_size_limit 65536" >broker.conf
mosquitto -c broker.conf >broker 2>&1 & pids=$!
until_said broker running
cat >main.js <<'E'
const mqtt = require("mqtt"), url = process.argv[2]
const main = async protocolVersion => {
	const listener = await mqtt.connectAsync(url, {clientId: "listener"})
	const client = await mqtt.connectAsync(url, {clientId: "publisher", protocolVersion})
	const heard = new Promise(done => listener.on("message", (_, payload) => done(payload.length)))
	await listener.subscribeAsync("news", {qos: 1})
	const said = []
	client.on("error", e => said.push(e.message))
	const big = new Promise(done => client.publish("news", Buffer.alloc(100000), {qos: 1}, e => done(said.push("large: " + (e ? e.message : "acknowledged")))))
	const small = new Promise(done => client.publish("news", "small", {qos: 1}, e => done(said.push("small: " + (e ? e.message : "acknowledged")))))
	const first = await heard
	await Promise.race([Promise.all([big, small]), new Promise(done => setTimeout(done, 3000))])
	console.log(`MQTT ${protocolVersion}: ${said.join(", ")}; the first that was heard has ${first} bytes`)
	client.end(true)
	listener.end(true)
}
main(4).then(() => process.exit())
E
timeout 60 node main.js "mqtt://127.0.0.1:$port" >seen
as_found <<'E'
MQTT 4: large: acknowledged, small: acknowledged; the first that was heard has 5 bytes
E
