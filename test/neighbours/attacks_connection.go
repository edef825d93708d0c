package main

import (
	"crypto/rand"
	"net"
	"os"
	"syscall"

	"kbus.example/kbus/internal/wire"
)

// Attacks by what a connection can do that no library of ours does.

var connectionAttacks = []attack{
	{name: "connecting and leaving without end", do: func(a *attacker) {
		a.ready("with and without a Hello")
		for i := 0; ; i++ {
			if i%2 == 0 {
				if c := open(0); c != nil {
					c.Close()
				}
			} else if c, err := dial(); err == nil {
				c.Close()
			}
		}
	}},
	{name: "as many connections as there may be, all silent", do: func(a *attacker) {
		said := len(a.crowd(200))
		silent := 0
		var held []*raw
		for range 200 {
			if c, err := dial(); err == nil {
				held = append(held, c)
				silent++
			}
		}
		a.ready("%d Ksocks, %d more connections tried", said, silent)
		for {
			for _, c := range held {
				c.Write(nil)
			}
			syscall.Pause()
		}
	}},
	{name: "garbage", do: func(a *attacker) {
		a.ready("each connection ends at once")
		b := make([]byte, 4096)
		for {
			if c, err := dial(); err == nil {
				rand.Read(b)
				c.Write(b)
				c.Close()
			}
		}
	}},
	{name: "halves of frames", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			b := c.append(nil, wire.OpSendMessage, 0, announce("$.Half", 300_000))
			c.write(b[:200_000])
		}
		a.ready("%d wait for the rest", len(a.held))
	}},
	{name: "frames that announce more than they may", do: func(a *attacker) {
		a.ready("the connection ends")
		for {
			if c := open(0); c != nil {
				c.write(wire.AppendHeader(nil, wire.Header{PayloadBytes: 1<<31 - 1, Op: wire.OpSendMessage, Seq: 1}))
				c.Close()
			}
		}
	}},
	{name: "messages begun byte by byte, and never ended", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			c.do(wire.OpWrite, 0, make([]byte, 100))
			c.many(10, wire.OpWrite, 0, make([]byte, 60_000))
		}
		a.ready("%d of them", len(a.held))
	}},
	{name: "results that nobody reads", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			c.bind("$.R", false)
			var b []byte
			for range 500 {
				b = c.append(b, wire.OpSendMessage, 0, announce("$.R", 2000))
				b = c.append(b, wire.OpNext, 100, nil)
			}
			c.write(b)
		}
		a.ready("%d do not read", len(a.held))
	}},
	{name: "descriptors that nobody asked for", do: func(a *attacker) {
		files := make([]int, 50)
		for i := range files {
			f, err := os.Open("/dev/null")
			check(err)
			files[i] = int(f.Fd())
		}
		rights := syscall.UnixRights(files...)
		a.ready("fifty with each frame")
		for {
			c := open(0)
			if c == nil {
				continue
			}
			for range 100 {
				if _, _, err := c.WriteMsgUnix(c.append(nil, wire.OpReset, 0, nil), rights, nil); err != nil {
					break
				}
				if _, _, ok := c.next(); !ok {
					break
				}
			}
			c.Close()
		}
	}},
	{name: "descriptors that linger", do: func(a *attacker) {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		a.ready("TCP sockets whose peer takes nothing")
		for {
			c, conn := open(0), lingering(server.Addr().String())
			if c != nil {
				c.WriteMsgUnix(c.append(nil, wire.OpReset, 0, nil), syscall.UnixRights(conn), nil)
				c.next()
				c.Close()
			}
			syscall.Close(conn)
		}
	}},
	{name: "a client in the debugger's hands", do: func(a *attacker) {
		c := a.open()
		c.bind(newsName, false)
		c.put(wire.OpNextWait, 1, nil)
		a.ready("it waits for a message and stands still")
		freeze()
	}},
	{name: "a death within a frame", dies: true, do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			b := c.append(nil, wire.OpSendMessage, 0, announce("$.Half", 300_000))
			c.write(b[:100_000])
		}
		a.ready("%d at once", len(a.held))
	}},
}

// lingering gives the descriptor of a TCP socket with data that nobody takes, whose close waits for a second.
func lingering(address string) int {
	conn, err := net.Dial("tcp", address)
	check(err)
	file, err := conn.(*net.TCPConn).File()
	check(err)
	conn.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	check(err)
	file.Close()
	check(syscall.SetNonblock(fd, true))
	for b := make([]byte, 1<<16); ; {
		if _, err := syscall.Write(fd, b); err != nil {
			break
		}
	}
	check(syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: 1}))
	return fd
}
