package session

import (
	"bytes"
	"testing"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What is refused for its form may have any name and any length: a tap is shown of it what a name can have, and no data.
func TestTapOfWhatIsTooLong(t *testing.T) {
	tr := newTraffic(t, 32)
	tap, _ := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
	tap.Sent(len(tap.Out()))
	long := bytes.Repeat([]byte{0x1b, 0xff}, message.MaxNameBytes)
	for _, c := range []struct {
		name, data []byte
		shown      string
		why        message.Condition
	}{
		{long, nil, string(bytes.Repeat([]byte("?"), message.MaxNameBytes)), message.ErrNameTooLong},
		{[]byte("$.Big"), make([]byte, tr.w.e.bus.MaxMessageBytes()), "$.Big", message.ErrMessageTooLong},
	} {
		payload := wire.AppendMessage(nil, &message.Header{}, c.name, c.data)
		if err := tr.asker.Handle(wire.Header{Op: wire.OpSendMessage}, payload); err != nil {
			t.Fatal(err)
		}
		tap.engine.FlushTaps()
		h, payload, n, err := wire.Split(tap.Out(), wire.MaxResultBytes)
		var e wire.TapEvent
		if err != nil || n == 0 || !wire.ParseTapEvent(payload, &e) {
			t.Fatalf("nothing is shown of %v: %v", c.why, err)
		}
		if h.Condition != c.why || string(e.Name) != c.shown || len(e.Data) > 0 || e.DataBytes != uint32(len(c.data)) {
			t.Errorf("%v: a name of %d bytes, %d of %d bytes of data; want %v", h.Condition, len(e.Name), len(e.Data), e.DataBytes, c.why)
		}
		tap.Sent(n)
	}
}
