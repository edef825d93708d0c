#!/bin/sh
# dbus-next 0.10.2 (D-Bus for Node.js): when a service has started again, its signals do not come any more, until one calls it.
#
# Guess, written down before the first run: a proxy of a well-known name hears the signals of whoever owns the name, also after the service
# has ended and started again, as with python3-dbus-next and python3-dbus-fast (both were tried: they do).
# Seen: the new service's signals reach the client and are dropped without a word: every proxy still takes only those of the owner from when
# it was made, also when the program listens to NameOwnerChanged. A method call to the service mends it, because the sender of its answer is
# noted. So a program that only listens is deaf from then on, and one that calls now and then hears again at some time.
#
# For those who come from D-Bus: listen to the bus's NameOwnerChanged and call the service whenever it has a new owner (Ping of
# org.freedesktop.DBus.Peer does). On KBUS a Listener is bound to a name, whoever sends.
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
const dbus = require('dbus-next'), { spawn } = require('child_process'), { Interface } = dbus.interface
const daemon = spawn('dbus-daemon', ['--nofork', '--config-file=bus.conf', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'] })
process.on('exit', () => daemon.kill('SIGKILL')).on('SIGTERM', () => process.exit(1))
class Sensor extends Interface {
  Level (n) { return n }
  Add (a, b) { return a + b }
}
Sensor.configureMembers({ signals: { Level: { signature: 'i' } }, methods: { Add: { inSignature: 'ii', outSignature: 'i' } } })
daemon.stdout.once('data', async address => {
  const busAddress = String(address).trim(), connect = () => dbus.sessionBus({ busAddress })
  const start = async () => {
    const bus = connect(), sensor = new Sensor('finding.Sensor')
    bus.export('/sensor', sensor)
    await bus.requestName('finding.Sensor', 0)
    return { bus, sensor }
  }
  const client = async told => {
    const bus = connect(), all = await bus.getProxyObject('finding.Sensor', '/sensor'), sensor = all.getInterface('finding.Sensor'), heard = []
    sensor.on('Level', n => heard.push(n))
    const daemon = (await bus.getProxyObject('org.freedesktop.DBus', '/org/freedesktop/DBus')).getInterface('org.freedesktop.DBus')
    const newOwner = new Promise(done => daemon.on('NameOwnerChanged', (name, _, owner) => {
      if (name === 'finding.Sensor' && owner) done(told && all.getInterface('org.freedesktop.DBus.Peer').Ping())
    }))
    return { bus, sensor, heard, newOwner }
  }
  let service = await start()
  const plain = await client(false), calling = await client(false), pinging = await client(true), clients = [plain, calling, pinging]
  // A call to the bus is answered after all that the bus has sent before
  const ping = bus => bus.call(new dbus.Message({ destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'GetId' }))
  const send = async n => {
    service.sensor.Level(n)
    await ping(service.bus)
    for (const c of clients) await ping(c.bus)
  }
  await send(1)
  service.bus.disconnect()
  service = await start()
  for (const c of clients) await c.newOwner
  await send(2)
  await send(3)
  await calling.sensor.Add(1, 2)
  await send(4)
  console.log('sent: 1, the service starts again, 2 3 4')
  console.log('only listens:', ...plain.heard)
  console.log('calls it after 3:', ...calling.heard)
  console.log('pings each new owner:', ...pinging.heard)
  process.exit()
})
E
timeout 60 node main.js >seen
as_found <<'E'
sent: 1, the service starts again, 2 3 4
only listens: 1
calls it after 3: 1 4
pings each new owner: 1 2 3 4
E
