#!/bin/sh
# Shared subscriptions ($share) of mosquitto 2.0.11 and mochi-mqtt 2.7.9: a member that is away gets its part of the work, although
# another one is there.
#
# Guess, written down before the first run: of two members of a group one goes away, and keeps its session. All messages go to the one
# that is there; nothing waits and nothing is lost. (Then: once the queue of the absent one is full, the rest goes to the other.)
# Seen: mosquitto gives the absent one every second message. Those of QoS 0 are lost. Those of QoS 1 wait until it comes back, though the
# other one has nothing to do; when 1000 wait, every second message of those that follow is thrown away, and the publisher has had all
# of them acknowledged. mochi-mqtt draws by lot, and the absent take part. (MQTT leaves the choice to the broker.)
#
# For those who come from MQTT: let workers of a group connect without a session that lasts (clean start, session expiry 0); then the
# group has only those who are there. On KBUS a Replier that goes away is bound no longer, and each open Request gets a Status.
#
# Needs Go, Node.js, npm and apt-get. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages mqtt@5.16.0
debian_packages mosquitto=2.0.11-1.2+deb12u2 libdlt2=2.18.8-6 libwrap0=7.6.q-32
go_program github.com/mochi-mqtt/server/v2@v2.7.9 <<'E'
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

func main() {
	broker := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	broker.AddHook(new(auth.AllowHook), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	broker.AddListener(listeners.NewNet("loopback", l))
	broker.Serve()
	fmt.Println("at", l.Addr())
	select {}
}
E
cat >main.js <<'E'
const mqtt = require('mqtt'), [broker, address] = process.argv.slice(2), url = `mqtt://${address}`
const quiet = async (...members) => {
  const got = () => members.reduce((n, m) => n + m.got, 0)
  for (let before = -1; before !== got();) {
    before = got()
    await new Promise(done => setTimeout(done, 1500))
  }
}
const run = async (what, qos, messages, sessionExpiryInterval, print) => {
  const topic = `work/${what.replaceAll(' ', '')}/${sessionExpiryInterval}`
  const connect = clientId => new Promise(done => {
    const c = mqtt.connect(url, {
      protocolVersion: 5, clientId: clientId + topic, clean: !sessionExpiryInterval, properties: { sessionExpiryInterval }, reconnectPeriod: 0
    })
    c.got = 0
    c.on('message', () => c.got++)
    c.once('connect', () => done(c))
  })
  const here = await connect('here'), away = await connect('away'), publisher = await connect('publisher')
  for (const member of [here, away]) await member.subscribeAsync(`$share/workers/${topic}`, { qos })
  await away.endAsync()
  for (let n = 0; n < messages; n++) await publisher.publishAsync(topic, 'work', { qos })
  await quiet(here)
  const back = await connect('away')
  await quiet(here, back)
  console.log(`${broker}, ${what}: ${print(here.got, back.got)}`)
  for (const c of [here, back, publisher]) c.end(true)
}
const exact = (here, away) => `${here} to who is there, ${away} to who was away`
const rough = all => (here, away) =>
  `all to who is there: ${here === all}, only a part: ${here > 0 && here < all}, nothing lost: ${here + away === all}`
const main = async () => {
  if (broker === 'mosquitto') {
    await run('100 of QoS 0', 0, 100, 600, exact)
    await run('100 of QoS 1', 1, 100, 600, exact)
    await run('3000 of QoS 1', 1, 3000, 600, exact)
    await run('100 of QoS 1 without a session', 1, 100, 0, exact)
  } else {
    await run('400 of QoS 0', 0, 400, 600, rough(400))
    await run('400 of QoS 1', 1, 400, 600, rough(400))
    await run('400 of QoS 1 without a session', 1, 400, 0, rough(400))
  }
  process.exit()
}
main()
E
port=$(free_port)
printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "user $(id -un)" >broker.conf
mosquitto -c broker.conf >broker 2>&1 & pids=$!
until_said broker running
./run >mochi 2>&1 & pids="$pids $!"
until_said mochi at
read -r _ address <mochi
timeout 120 node main.js mosquitto "127.0.0.1:$port" >seen
timeout 120 node main.js mochi-mqtt "$address" >>seen
as_found <<'E'
mosquitto, 100 of QoS 0: 50 to who is there, 0 to who was away
mosquitto, 100 of QoS 1: 50 to who is there, 50 to who was away
mosquitto, 3000 of QoS 1: 1500 to who is there, 1000 to who was away
mosquitto, 100 of QoS 1 without a session: 100 to who is there, 0 to who was away
mochi-mqtt, 400 of QoS 0: all to who is there: false, only a part: true, nothing lost: false
mochi-mqtt, 400 of QoS 1: all to who is there: false, only a part: true, nothing lost: true
mochi-mqtt, 400 of QoS 1 without a session: all to who is there: true, only a part: false, nothing lost: true
E
