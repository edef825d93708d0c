#!/bin/sh
# paho-mqtt for Python (Debian's python3-paho-mqtt 1.6.1-1): publish says that it is not connected, and sends the message later.
#
# Guess, written down before the first run: when publish returns MQTT_ERR_NO_CONN ("The client is not currently connected."), the
# message has not been taken and will not be sent, with QoS 1 as with QoS 0.
# Seen: with QoS 0 that is so. With QoS 1 the same error comes back, but the client keeps the message and sends it when it is
# connected again: a program that takes the error at its word and publishes once more has sent the message twice.
# (paho for Go errs the other way: see mqtt-publish-while-away.sh.)
#
# For a bridge from MQTT: with QoS 1 do not repeat what failed so; on_publish tells when it has left. Here a send that says it is
# not connected has sent nothing, and nothing sends it later.
#
# Needs apt-get, Python 3, Node.js and npm (for the broker, aedes 1.2.0). Listens on loopback only.
. "$(dirname "$0")/begin.sh"
debian_packages python3-paho-mqtt=1.6.1-1
npm_packages aedes@1.2.0
cat >broker.js <<'E'
const {Aedes} = require("aedes"), net = require("net")
Aedes.createBroker().then(broker => {
	broker.on("publish", (packet, client) => client && console.log("came:", String(packet.payload)))
	const server = net.createServer(broker.handle)
	server.listen(+process.argv[2], "127.0.0.1", () => console.log("port", server.address().port))
})
setTimeout(() => process.exit(1), 60000)
E
cat >publisher.py <<'E'
import sys, threading
import paho.mqtt.client as mqtt

up, down = threading.Event(), threading.Event()
client = mqtt.Client("publisher")
client.reconnect_delay_set(1, 1)
client.on_connect = lambda *_: up.set()
client.on_disconnect = lambda *_: down.set()
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
up.wait(30)
up.clear()
print("up", flush=True)
down.wait(30)
sent = [client.publish("news", "qos %d" % qos, qos) for qos in (0, 1)]
for qos in 0, 1:
    print("qos %d: %s" % (qos, mqtt.error_string(sent[qos].rc)))
print("away", flush=True)
up.wait(30)
client.publish("news", "last", 1).wait_for_publish(30)
E
node broker.js 0 >broker & first=$!
pids=$first
until_said broker port
port=$(sed 's/port //' broker)
timeout 60 python3 publisher.py "$port" >seen & publisher=$!
pids="$first $publisher"
until_said seen up
kill $first
until_said seen away
node broker.js "$port" >broker & pids="$publisher $!"
wait $publisher
until_said broker "came: last"
grep came broker >>seen
as_found <<'E'
up
qos 0: The client is not currently connected.
qos 1: The client is not currently connected.
away
came: qos 1
came: last
E
