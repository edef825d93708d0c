#!/bin/sh
# mqtt.js 5.16.0 (npm): what is published while the broker is away arrives in another order.
#
# Guess, written down before the first run: messages published while there is no connection are kept, and come in the order in which they
# were published as soon as there is one. (That it is the same who connects again, the client or its user, was not even a question.)
# Seen: first come those with QoS 1 (and 2), and then those with QoS 0, also on a single topic; before the first connection and after
# one was lost. (They are kept in two places.) When reconnect() is called by hand, only those with QoS 0 come: the others are thrown
# away, and in the seconds that follow their publish neither fails nor ends. While the broker is there all come, in order.
#
# For a Sender behind a bridge to MQTT: a position with QoS 0 from before a command with QoS 1 arrives after it, and stays the last value. Use
# one QoS for what must stay in order, and leave connecting to the client. On KBUS there is one order.
#
# Needs npm, Node.js and apt-get. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages mqtt@5.16.0
debian_packages mosquitto=2.0.11-1.2+deb12u2 libdlt2=2.18.8-6 libwrap0=7.6.q-32
port=$(free_port)
printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "user $(id -un)" >broker.conf
mosquitto -c broker.conf >broker 2>&1 & pids=$!
until_said broker running
cat >main.js <<'E'
const mqtt = require('mqtt'), net = require('net'), port = +process.argv[2]
const when = (who, what) => new Promise(done => who.once(what, done))
// The sender's way to the broker, which can be cut
let there = false
const open = new Set()
const way = net.createServer(near => {
  if (!there) return near.destroy()
  const far = net.connect(port, '127.0.0.1')
  for (const [a, b] of [[near, far], [far, near]]) a.on('error', () => {}).on('close', () => b.destroy()).pipe(b)
  open.add(near)
})
const cut = () => {
  there = false
  for (const near of open) near.destroy()
}
const run = async (what, reconnectPeriod, steps) => {
  const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`), got = []
  let acknowledged = 0
  listener.on('message', (_, payload) => got.push(String(payload)))
  await listener.subscribeAsync('lamp', { qos: 1 })
  const sender = mqtt.connect(`mqtt://127.0.0.1:${way.address().port}`, { clientId: 'sender', clean: false, reconnectPeriod })
  sender.on('error', () => {})
  for (const step of steps) {
    if (step === 'connected') {
      const connected = when(sender, 'connect')
      there = true
      if (!reconnectPeriod && !sender.connected) sender.reconnect()
      await (sender.connected || connected)
    } else if (step === 'away') {
      const closed = when(sender, 'close')
      cut()
      await closed
    } else {
      for (let n = 0; n < 8; n++) sender.publish('lamp', `${n + 1}(${n % 2})`, { qos: n % 2 }, e => { acknowledged += !e })
    }
  }
  for (const until = Date.now() + 5000; got.length < (reconnectPeriod ? 8 : 4) && Date.now() < until;) await new Promise(done => setTimeout(done, 50))
  await new Promise(done => setTimeout(done, 1000))
  console.log(`${what}: ${got.join(' ')}; ${acknowledged} done`)
  cut()
  sender.end(true)
  listener.end(true)
}
const main = async () => {
  await run('there', 200, ['connected', 'publish'])
  await run('before the first connection', 200, ['away', 'publish', 'connected'])
  await run('lost and found', 200, ['connected', 'away', 'publish', 'connected'])
  await run('by hand', 0, ['away', 'publish', 'connected'])
  process.exit()
}
way.listen(0, '127.0.0.1', main)
E
echo "message(QoS)" >seen
timeout 60 node main.js "$port" >>seen
as_found <<'E'
message(QoS)
there: 1(0) 2(1) 3(0) 4(1) 5(0) 6(1) 7(0) 8(1); 8 done
before the first connection: 2(1) 4(1) 6(1) 8(1) 1(0) 3(0) 5(0) 7(0); 8 done
lost and found: 2(1) 4(1) 6(1) 8(1) 1(0) 3(0) 5(0) 7(0); 8 done
by hand: 1(0) 3(0) 5(0) 7(0); 4 done
E
