#!/bin/sh
# Node-RED 4.1.2 (npm): a flow that only passes messages on, from MQTT to MQTT, changes those that look like a number.
#
# Guess, written down before the first run: the output "auto-detect (parsed JSON object, string or buffer)", which a new MQTT node
# has, makes an object of {...} and leaves every other text as it is.
# Seen: every text that is JSON is parsed, a bare number too: the device 12e4 is called 120000 from then on, 12345678901234567 has its last
# digit changed, 21.50 loses a digit, 1e400 comes out as Infinity, and null is an empty message. 0012 and "on" stay as they are. In an object,
# numbers of more than 53 bits change as well.
#
# For a bridge through Node-RED: set the output of each MQTT node to "a String" or "a Buffer", and parse where you mean it.
# Data on KBUS are bytes, and nothing looks into them.
#
# Needs npm, Node.js and apt-get. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages node-red@4.1.2 mqtt@5.16.0
debian_packages mosquitto=2.0.11-1.2+deb12u2 libdlt2=2.18.8-6 libwrap0=7.6.q-32
port=$(free_port)
printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "user $(id -un)" >broker.conf
mosquitto -c broker.conf >broker 2>&1 & pids=$!
until_said broker running
cat >flow.json <<E
[{"id": "flow", "type": "tab", "label": "bridge"},
 {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "$port", "autoConnect": true, "protocolVersion": "4", "keepalive": "60", "cleansession": true},
 {"id": "in", "type": "mqtt in", "z": "flow", "x": 1, "y": 1, "topic": "in", "qos": "1", "datatype": "auto-detect", "broker": "broker", "inputs": 0, "wires": [["to"]]},
 {"id": "to", "type": "change", "z": "flow", "x": 1, "y": 1, "rules": [{"t": "set", "p": "topic", "pt": "msg", "to": "out", "tot": "str"}], "wires": [["out"]]},
 {"id": "out", "type": "mqtt out", "z": "flow", "x": 1, "y": 1, "topic": "", "qos": "1", "retain": "", "broker": "broker", "wires": []}]
E
cat >settings.js <<'E'
module.exports = { uiHost: '127.0.0.1', uiPort: 0, httpAdminRoot: false, httpNodeRoot: false, flowFile: 'flow.json', userDir: __dirname, credentialSecret: false }
E
node node_modules/node-red/red.js -s settings.js >flow 2>&1 & pids="$pids $!"
until_said flow "Connected to broker"
cat >main.js <<'E'
const mqtt = require('mqtt')
const main = async () => {
  const client = await mqtt.connectAsync(process.argv[2])
  await client.subscribeAsync('out', { qos: 1 })
  // Retained: it arrives whether the flow has subscribed already or not
  const ready = new Promise(done => client.once('message', done))
  await client.publishAsync('in', 'ready', { qos: 1, retain: true })
  await ready
  for (const text of ['on', '0012', '12e4', '12345678901234567', '21.50', '1e400', 'null', '{"id": 12345678901234567}']) {
    const answer = new Promise(done => client.once('message', (_, payload) => done(payload.toString())))
    await client.publishAsync('in', text, { qos: 1 })
    const came = await answer
    console.log(`${text}: ${came === text ? 'the same' : came || 'nothing in it'}`)
  }
  client.end(true)
}
main()
E
timeout 60 node main.js "mqtt://127.0.0.1:$port" >seen
as_found <<'E'
on: the same
0012: the same
12e4: 120000
12345678901234567: 12345678901234568
21.50: 21.5
1e400: Infinity
null: nothing in it
{"id": 12345678901234567}: {"id":12345678901234568}
E
