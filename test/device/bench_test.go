package device

import (
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// What an operation takes; docs/daemon.md has the figures. To have caller and daemon share a processor, as they do on a
// machine with nothing else to do, run it under taskset.

func BenchmarkIoctl(b *testing.B) {
	k := start(b).rw()
	for b.Loop() {
		if _, _, errno := k.Word(file.IoctlNumMsgs, 0); errno != 0 {
			b.Fatal(errno)
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	k := start(b).rw()
	ok(b, k.Bind("$.Bench", 0))
	m := message.AppendEntire(nil, &message.Header{}, []byte("$.Bench"), make([]byte, 32))
	got := make([]byte, len(m))
	for b.Loop() {
		k.Write(m)
		k.ID(file.IoctlSend)
		k.Next()
		if n, errno := k.Read(got); n != len(m) || errno != 0 {
			b.Fatal(n, errno)
		}
	}
}

// Two programs: one sends, the other sleeps in poll, reads and sends back.
func BenchmarkRoundTrip(b *testing.B) {
	d := start(b)
	k, other := d.rw(), d.rw()
	ok(b, k.Bind("$.Pong", 0))
	ok(b, other.Bind("$.Ping", 0))
	go func() {
		for {
			other.Poll(unix.POLLIN, -1)
			if _, some, errno := other.Receive(); errno != 0 || !some {
				return
			}
			other.Send(message.Header{}, "$.Pong", "x")
		}
	}()
	for b.Loop() {
		k.Send(message.Header{}, "$.Ping", "x")
		k.Poll(unix.POLLIN, -1)
		if _, some, errno := k.Receive(); errno != 0 || !some {
			b.Fatal(some, errno)
		}
	}
}
