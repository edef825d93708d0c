package form

import (
	"testing"

	"kbus.example/kbus/message"
)

// What takes time in a state is messages.
type queued struct {
	head message.Header
	name []byte
	data []byte
	only bool
}

func codeQueued(c *Coder, m *queued) {
	Header(c, &m.head)
	Borrowed(c, &m.name)
	Borrowed(c, &m.data)
	Bool(c, &m.only)
}

func manyQueued() []queued {
	many := make([]queued, 10_000)
	for i := range many {
		many[i] = queued{name: []byte("$.Queue.17"), data: make([]byte, 1000)}
		many[i].head.ID.Serial = uint32(1000 + i)
		many[i].head.From = 300
	}
	return many
}

func BenchmarkWrite(b *testing.B) {
	many := manyQueued()
	for b.Loop() {
		c := Writer(2, func([]byte) error { return nil })
		List(c, &many, codeQueued)
		if err := c.End(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	many := manyQueued()
	state := Append(nil, 2, func(c *Coder) { List(c, &many, codeQueued) })
	for b.Loop() {
		c := Reader(2, state)
		List(c, &many, codeQueued)
		if err := c.Err(); err != nil {
			b.Fatal(err)
		}
	}
}
