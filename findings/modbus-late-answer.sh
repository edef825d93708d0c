#!/bin/sh
# modbus for Go 1.6.4 (simonvetter) and modbus-serial 8.0.25 (npm), RTU over TCP: one late answer, and every value is that of the register
# before.
#
# Guess, written down before the first run: what comes after the time limit is thrown away, before the next request is sent or because it
# does not belong to it, and the next register has its own value.
# Seen: RTU has no number for a request. Both libraries keep what comes late and take it for the answer to the next request, which has the
# same unit, function and length. From then on each read returns what was asked before, without an error: register 2 has the value of
# register 1, 3 that of 2, and so on, and a pause does not help (here before register 5). With Modbus TCP, which has numbers, both read
# rightly.
#
# For a gateway from Modbus: after a time-out close the connection and open it anew; read registers that go together in one request.
# On KBUS a Reply names its Request.
#
# Needs Go, Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages modbus-serial@8.0.25
go_program github.com/simonvetter/modbus@v1.6.4 <<'E'
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/simonvetter/modbus"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: os.Args[1], Timeout: time.Second, Logger: log.New(io.Discard, "", 0)})
	check(err)
	check(c.Open())
	for register := range uint16(7) {
		if register == 5 {
			time.Sleep(500 * time.Millisecond)
		}
		v, err := c.ReadRegister(register, modbus.HOLDING_REGISTER)
		if err != nil {
			fmt.Printf(" %d: %v;", register, err)
		} else {
			fmt.Printf(" %d: %d;", register, v)
		}
	}
	fmt.Println()
	check(c.Close())
}
E
cat >device.js <<'E'
// A device that answers in turn, register n with 100 + n, and the first request of a connection only after 1.5 seconds.
const net = require('net')
const crc = bytes => {
  let c = 0xffff
  for (const b of bytes) {
    c ^= b
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >> 1) ^ 0xa001 : c >> 1
  }
  return [c & 255, c >> 8]
}
const device = header => net.createServer(socket => {
  let wait = 1500, last = Promise.resolve()
  socket.on('data', request => {
    const at = request.subarray(header)
    const answer = Buffer.from([at[0], at[1], 2, 0, 100 + at.readUInt16BE(2)])
    const head = Buffer.from(request.subarray(0, header))
    if (header) head.writeUInt16BE(answer.length, 4)
    const whole = Buffer.concat([head, answer, Buffer.from(header ? [] : crc(answer))]), ms = wait
    last = last.then(() => new Promise(done => setTimeout(() => done(socket.write(whole)), ms)))
    wait = 0
  })
  socket.on('error', () => {})
}).listen(0, '127.0.0.1')
const tcp = device(6), rtu = device(0)
rtu.on('listening', () => console.log('ports', tcp.address().port, rtu.address().port))
E
cat >main.js <<'E'
const Modbus = require('modbus-serial'), [kind, port] = process.argv.slice(2)
const main = async () => {
  const c = new Modbus()
  c.setID(1)
  c.setTimeout(1000)
  await c[kind]('127.0.0.1', { port: +port })
  let said = ''
  for (let register = 0; register < 7; register++) {
    if (register === 5) await new Promise(done => setTimeout(done, 500))
    try {
      said += ` ${register}: ${(await c.readHoldingRegisters(register, 1)).data[0]};`
    } catch (e) {
      said += ` ${register}: ${e.message};`
    }
  }
  console.log(said)
  process.exit()
}
main()
E
node device.js >device 2>&1 & pids=$!
until_said device ports
read -r _ tcp rtu <device
for line in "TCP tcp $tcp connectTCP" "RTU rtuovertcp $rtu connectTelnet"; do
	set -- $line
	printf 'modbus, %s:' "$1" >>seen
	timeout 30 ./run "$2://127.0.0.1:$3" >>seen
	printf 'modbus-serial, %s:' "$1" >>seen
	timeout 30 node main.js "$4" "$3" >>seen
done
as_found <<'E'
modbus, TCP: 0: request timed out; 1: 101; 2: 102; 3: 103; 4: 104; 5: 105; 6: 106;
modbus-serial, TCP: 0: Timed out; 1: 101; 2: 102; 3: 103; 4: 104; 5: 105; 6: 106;
modbus, RTU: 0: request timed out; 1: 100; 2: 101; 3: 102; 4: 103; 5: 104; 6: 105;
modbus-serial, RTU: 0: Timed out; 1: 100; 2: 101; 3: 102; 4: 103; 5: 104; 6: 105;
E
