//go:build !race

package file

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// The race detector's instrumentation allocates where the program does not, so this file is built without it.

// R3.55, R3.35: once its buffers are there, a File writes, sends and reads small messages without making garbage of its
// own.
func TestNoGarbage(t *testing.T) {
	on := bus.New(bus.Config{})
	k, _ := on.Open(bus.Owner{Original: true})
	on.Bind(k, "$.*", false)
	f := New(on, k, ReadWrite)
	m := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), make([]byte, 100))
	p := make([]byte, 1000)
	turn := func() {
		f.Write(m)
		f.Send(nil)
		f.Next()
		f.Read(p)
	}
	whole := func() {
		on.Send(k, &message.Header{}, []byte("$.A"), make([]byte, 100))
		d, _ := on.Next(k)
		on.Release(&d)
	}
	turn()
	whole()
	if n, without := testing.AllocsPerRun(100, turn), testing.AllocsPerRun(100, whole); n > without {
		t.Errorf("%v allocations for each message, %v without a File", n, without)
	}
}
