#!/bin/sh
# aedes 1.2.0 (a broker, from npm) with mqtt 5.16.0: two filters that match are one message for who is there, and two for who was away.
#
# Guess, written down before the first run: a client with a session that stays has subscribed to a/# and a/b. What is published to a/b
# comes once, and what was published with quality of service 1 while it was away comes when it is back.
# Seen: connected it gets each message once. After it was away it gets each message twice, both with quality of service 1 and
# without the mark of a duplicate.
#
# For a bridge from MQTT: who commands by messages (toggle, add one) must know them again itself, or subscribe without overlap. A
# Ksock that is bound twice gets two copies, or one if it says "only once"; what it misses meanwhile is counted, not doubled.
#
# Needs npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages aedes@1.2.0 mqtt@5.16.0
cat >main.js <<'E'
const { Aedes } = require('aedes')
const mqtt = require('mqtt')
const net = require('net')

;(async () => {
  const broker = await Aedes.createBroker()
  const server = net.createServer(broker.handle)
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const url = 'mqtt://127.0.0.1:' + server.address().port
  const publisher = await mqtt.connectAsync(url)
  const session = { clientId: 'stays', clean: false }
  const gets = client => {
    const got = []
    got.end = new Promise(done => client.on('message', (topic, body, packet) => {
      if (topic === 'end') done()
      else got.push(body + (packet.dup ? ' (duplicate)' : ''))
    }))
    return got
  }
  const publish = async bodies => { for (const b of bodies) await publisher.publishAsync('a/b', b, { qos: 1 }) }

  let subscriber = mqtt.connect(url, session)
  let got = gets(subscriber)
  for (const filter of ['a/#', 'a/b', 'end']) await subscriber.subscribeAsync(filter, { qos: 1 })
  await publish(['1', '2'])
  await publisher.publishAsync('end', '', { qos: 1 })
  await got.end
  console.log('connected:', got.join(', '))
  await subscriber.endAsync()

  await publish(['3', '4'])
  await publisher.publishAsync('end', '', { qos: 1 })
  subscriber = mqtt.connect(url, session)
  got = gets(subscriber)
  await got.end
  console.log('was away:', got.join(', '))
  process.exit()
})()
E
timeout 60 node main.js >seen
as_found <<'E'
connected: 1, 2
was away: 3, 3, 4, 4
E
