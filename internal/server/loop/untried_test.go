package loop

import (
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Of many messages that a change may help, some are tried with each turn; the others have theirs although nobody comes and
// none of those before them could be sent.
func TestAllThatWaitAreTriedInTheEnd(t *testing.T) {
	const hopeless = 200
	b := start(t, nil)
	sender := func(name string) *rawclient.Client {
		c := b.open()
		all := rawclient.Message(message.Header{Flags: message.AllOrWait}, name, nil)
		if got := c.Ask(wire.OpSendMessage, 0, all).Condition; got != message.ErrPending {
			t.Fatalf("%s: %v", name, got)
		}
		return c
	}
	full, last := b.open(), b.open()
	full.Bind("$.Full.X", false)
	last.Bind("$.Full.*", false)
	for _, c := range []*rawclient.Client{full, last} {
		c.Must(wire.OpMaxMessages, 1, nil)
	}
	b.open().Must(wire.OpSendMessage, 0, announcement("$.Full.X", ""))
	for range hopeless {
		sender("$.Full.X")
	}
	hopes := sender("$.Full.Y")
	last.Must(wire.OpUnbind, 0, []byte("$.Full.*"))
	hopes.Must(wire.OpWaitSent, 0, nil)
}
