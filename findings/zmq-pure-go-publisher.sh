#!/bin/sh
# github.com/go-zeromq/zmq4 v0.17.0, ZeroMQ without the C library: a subscriber that does not read fills the publisher's memory, and
# the other subscribers hear nothing more.
#
# Guess, written down before the first run: as with libzmq, Send does not block, and beyond a high-water mark of 1000 messages what
# is for the slow subscriber is dropped; the others go on.
# Seen: there is no mark (OptionHWM is 0 unless it is set, and then counts messages for all subscribers together). One queue
# serves all subscribers in turn: 100 000 messages of 1 kB are kept, about 100 MB, and the subscriber that reads stops hearing
# until the other one goes away, and then gets all.
#
# For those who come from ZeroMQ: what a slow reader does depends on the library at the *sender*. Here each Ksock has its own
# queue with its own bound, and a full one stops nobody else unless the sender asked to wait.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/go-zeromq/zmq4@v0.17.0 <<'E'
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

const messages = 100_000

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func subscriber(address string) zmq4.Socket {
	s := zmq4.NewSub(context.Background())
	check(s.Dial(address))
	check(s.SetOption(zmq4.OptionSubscribe, ""))
	return s
}

func main() {
	if len(os.Args) > 1 {
		s := subscriber(os.Args[1])
		_, err := s.Recv()
		check(err)
		fmt.Println("heard one and reads no more")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	p := zmq4.NewPub(context.Background())
	check(p.Listen("tcp://127.0.0.1:0"))
	address := "tcp://" + p.Addr().String()
	slow := exec.Command("/proc/self/exe", address)
	in, err := slow.StdinPipe()
	check(err)
	out, err := slow.StdoutPipe()
	check(err)
	check(slow.Start())
	said := make(chan bool)
	go func() {
		b := make([]byte, 100)
		n, _ := out.Read(b)
		fmt.Print("the one: ", string(b[:n]))
		close(said)
	}()
	for waiting := true; waiting; {
		check(p.Send(zmq4.NewMsg([]byte("are you there?"))))
		select {
		case <-said:
			waiting = false
		case <-time.After(50 * time.Millisecond):
		}
	}

	var heard atomic.Int64
	first := make(chan bool)
	go func() {
		s := subscriber(address)
		for n := 0; ; n++ {
			m, err := s.Recv()
			if err != nil {
				return
			}
			if n == 0 {
				close(first)
			}
			if !bytes.HasPrefix(m.Frames[0], []byte("are")) {
				heard.Store(int64(binary.BigEndian.Uint64(m.Frames[0])) + 1)
			}
		}
	}()
	for waiting := true; waiting; {
		check(p.Send(zmq4.NewMsg([]byte("are you there?"))))
		select {
		case <-first:
			waiting = false
		case <-time.After(50 * time.Millisecond):
		}
	}

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range uint64(messages) {
		check(p.Send(zmq4.NewMsg(append(binary.BigEndian.AppendUint64(nil, n), make([]byte, 992)...))))
	}
	last, still := heard.Load(), 0
	for still < 20 { // two seconds without a message
		time.Sleep(100 * time.Millisecond)
		if now := heard.Load(); now != last {
			last, still = now, 0
		} else {
			still++
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
	fmt.Fprintln(os.Stderr, "heard by the other:", last, "of", messages, "; kept by the publisher:", kept, "MiB")
	fmt.Println("all sent without an error; kept more than 50 MiB:", kept > 50)
	fmt.Println("the other, which reads, has had less than half:", last < messages/2)
	in.Close()
	check(slow.Wait())
	for range 300 {
		if heard.Load() == messages {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Println("after the end of the one, the other has had", heard.Load())
}
E
timeout 120 ./run >seen
as_found <<'E'
the one: heard one and reads no more
all sent without an error; kept more than 50 MiB: true
the other, which reads, has had less than half: true
after the end of the one, the other has had 100000
E
