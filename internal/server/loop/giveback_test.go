package loop

import (
	"testing"

	"kbus.example/kbus/internal/wire"
)

// What a burst has needed is given back to the system when it is thrown away, though nobody asks the bus for anything any
// more.
func TestBurstIsGivenBack(t *testing.T) {
	const messages, each = 4000, 4000
	b := start(t, nil)
	listener, sender := b.hears("$.Burst"), b.open()
	for range messages {
		sender.Must(wire.OpSendMessage, 0, announcement("$.Burst", string(make([]byte, each))))
	}
	listener.Must(wire.OpUnbind, 0, []byte("$.Burst"))
	<-b.burst
}
