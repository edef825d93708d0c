#!/bin/sh
# jsmodbus 5.0.0 (npm) as a server of Modbus TCP: what arrives together is carried out last first.
#
# Guess, written down before the first run: a client writes 1, 2 and 3 to one register without waiting for the answers between. They are
# carried out in this order, and the register is 3.
# Seen: when the three arrive together, the server carries them out 3, 2, 1. All three are confirmed, and the register is 1: a pump that was
# told on and then off runs. One by one they are carried out in order, so a first trial does not show it. The client sees nothing of it,
# because answers carry the numbers of their requests. The server of modbus-serial 8.0.25 keeps the order; its client does
# not wait for an answer before it sends the next request.
#
# For a gateway from Modbus: wait for each answer before the next write. On KBUS messages are handed out in the order in which they were sent.
#
# Needs Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages jsmodbus@5.0.0 modbus-serial@8.0.25
cat >main.js <<'E'
const jsmodbus = require('jsmodbus'), Serial = require('modbus-serial'), net = require('net')
let written = []
const servers = {
  jsmodbus: listening => {
    const tcp = net.createServer(), server = new jsmodbus.server.TCP(tcp, { holding: Buffer.alloc(20) })
    server.on('postWriteSingleRegister', request => written.push(request.body.value))
    tcp.listen(0, '127.0.0.1', () => listening(tcp.address().port, () => server.holding.readUInt16BE(10)))
  },
  'modbus-serial': listening => {
    let register = 0
    const server = new Serial.ServerTCP({ setRegister: (_, value) => written.push(register = value) }, { host: '127.0.0.1', port: 0, unitID: 1 })
    server.on('initialized', () => listening(server._server.address().port, () => register))
  }
}
const run = what => new Promise(done => servers[what](async (port, register) => {
  const client = new Serial()
  await client.connectTCP('127.0.0.1', { port })
  client.setID(1)
  client.setTimeout(10000)
  written = []
  const answers = await Promise.all([1, 2, 3].map(value => client.writeRegister(5, value)))
  console.log(`${what}: confirmed ${answers.map(a => a.value)}, carried out ${written}, register ${register()}`)
  written = []
  for (const value of [1, 2, 3]) await client.writeRegister(5, value)
  console.log(`${what}, waiting for each: carried out ${written}, register ${register()}`)
  done()
}))
run('jsmodbus').then(() => run('modbus-serial')).then(() => process.exit())
E
timeout 60 node main.js >seen
as_found <<'E'
jsmodbus: confirmed 1,2,3, carried out 3,2,1, register 1
jsmodbus, waiting for each: carried out 1,2,3, register 3
modbus-serial: confirmed 1,2,3, carried out 1,2,3, register 3
modbus-serial, waiting for each: carried out 1,2,3, register 3
E
