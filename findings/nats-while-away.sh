#!/bin/sh
# NATS clients for Go (nats.go 1.55.0) and Node.js (@nats-io/transport-node 3.4.0): what is sent while the server is away is sent later
# by the one, even a request that has failed, and thrown away by the other.
#
# Guess, written down before the first run: a request that ended with a time-out while there was no connection is never seen by the
# replier. (Then, for Node.js, knowing Go: the same as in Go.)
# Seen: nats.go keeps the request, though its caller has been told "timeout", and sends it when the connection is back, together with
# what was published: a door opens after somebody gave up. In Node.js a publish returns as it always does, and is thrown away when
# the client tries to connect again; so are requests, which end with "timeout" too.
#
# For a bridge to NATS: in Go connect with ReconnectBufSize(-1), and what is sent while the server is away fails at once; or write into
# a command until when it holds. In Node.js publish what must not be lost to a stream, which answers, or watch status(). On KBUS a send
# without a bus fails, and nothing is sent later.
#
# Needs Go, Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages @nats-io/transport-node@3.4.0
go_program github.com/nats-io/nats-server/v2@v2.15.2 github.com/nats-io/nats.go@v1.55.0 <<'E'
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A client's way to the server, which can be cut
type way struct {
	net.Listener
	sync.Mutex
	cut  bool
	open []net.Conn
}

func (w *way) set(cut bool) {
	w.Lock()
	defer w.Unlock()
	w.cut = cut
	for _, c := range w.open {
		c.Close()
	}
	w.open = nil
}

func (w *way) serve(server string) {
	for {
		near, err := w.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", server)
		check(err)
		w.Lock()
		w.open = append(w.open, near, far)
		if w.cut {
			near.Close()
			far.Close()
		}
		w.Unlock()
		for _, c := range [][2]net.Conn{{near, far}, {far, near}} {
			go func() {
				io.Copy(c[0], c[1])
				c[0].Close()
			}()
		}
	}
}

func run(what, server string, options ...nats.Option) {
	device, err := nats.Connect("nats://" + server)
	check(err)
	defer device.Close()
	told := make(chan string, 10)
	_, err = device.Subscribe("door", func(m *nats.Msg) {
		told <- string(m.Data)
		m.Respond([]byte("done"))
	})
	check(err)
	check(device.Flush())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	w := &way{Listener: l}
	go w.serve(server)
	c, err := nats.Connect("nats://"+l.Addr().String(), append(options, nats.ReconnectWait(200*time.Millisecond))...)
	check(err)
	defer c.Close()
	_, err = c.Request("door", []byte("hello"), time.Second)
	check(err)
	w.set(true)
	for c.Status() != nats.RECONNECTING {
		time.Sleep(10 * time.Millisecond)
	}
	_, asked := c.Request("door", []byte("open"), time.Second)
	published := c.Publish("door", []byte("published"))
	time.Sleep(time.Second)
	w.set(false)
	for !c.IsConnected() {
		time.Sleep(10 * time.Millisecond)
	}
	_, err = c.Request("door", []byte("goodbye"), 5*time.Second)
	check(err)
	var all []string
	for len(told) > 0 {
		all = append(all, <-told)
	}
	fmt.Printf("%s: asked: %v, published: %v; told: %s\n", what, asked, published, strings.Join(all, ", "))
}

func main() {
	if len(os.Args) == 1 {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
		check(err)
		s.Start()
		if !s.ReadyForConnections(10 * time.Second) {
			panic("not ready")
		}
		fmt.Println("at", s.Addr())
		select {}
	}
	run("Go", os.Args[1])
	run("Go, ReconnectBufSize(-1)", os.Args[1], nats.ReconnectBufSize(-1))
}
E
cat >main.js <<'E'
const { connect } = require('@nats-io/transport-node'), net = require('net'), [host, port] = process.argv[2].split(':')
let away = false
const open = new Set()
const way = net.createServer(near => {
  if (away) return near.destroy()
  const far = net.connect(port, host)
  for (const [a, b] of [[near, far], [far, near]]) a.on('error', () => {}).on('close', () => b.destroy()).pipe(b)
  open.add(near)
})
const status = async (c, type) => {
  for await (const s of c.status()) if (s.type === type) return
}
const main = async () => {
  const device = await connect({ servers: `${host}:${port}` }), told = []
  device.subscribe('door', { callback: (_, m) => {
    told.push(m.string())
    m.respond('done')
  } })
  await device.flush()
  const c = await connect({ servers: `127.0.0.1:${way.address().port}`, reconnectTimeWait: 200, maxReconnectAttempts: -1 })
  await c.request('door', 'hello', { timeout: 1000 })
  const disconnected = status(c, 'disconnect'), reconnected = status(c, 'reconnect')
  away = true
  for (const near of open) near.destroy()
  await disconnected
  const asked = await c.request('door', 'open', { timeout: 1000 }).then(() => 'answered', e => e.message)
  let published = 'no error'
  try {
    c.publish('door', 'published')
  } catch (e) {
    published = e.message
  }
  await new Promise(done => setTimeout(done, 1000))
  away = false
  await reconnected
  await c.request('door', 'goodbye', { timeout: 5000 })
  console.log(`Node.js: asked: ${asked}, published: ${published}; told: ${told.join(', ')}`)
  process.exit()
}
way.listen(0, '127.0.0.1', main)
E
./run >server 2>&1 & pids=$!
until_said server at
read -r _ address <server
timeout 60 ./run "$address" >seen
timeout 60 node main.js "$address" >>seen
as_found <<'E'
Go: asked: nats: timeout, published: <nil>; told: hello, open, published, goodbye
Go, ReconnectBufSize(-1): asked: nats: outbound buffer limit exceeded, published: nats: outbound buffer limit exceeded; told: hello, goodbye
Node.js: asked: timeout, published: no error; told: hello, goodbye
E
