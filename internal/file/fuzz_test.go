package file_test

import (
	"bytes"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// written is what a program can tell after writing bytes in pieces and sending them: the first error of write, if any,
// or else the outcome of SEND and what a listener for everything then reads.
type written struct {
	write    message.Condition
	send     bus.Outcome
	received string
}

// write writes b on a fresh bus in pieces of the given lengths (which are repeated), then sends.
func write(t testing.TB, b []byte, lengths []byte) (w written) {
	on := bus.New(bus.Config{MaxMessageBytes: 4096})
	sender, reader := open(t, on), open(t, on)
	if c := on.Bind(reader.Ksock, "$.*", false); c != message.OK {
		t.Fatal(c)
	}
	for i := 0; len(b) > 0 && w.write == message.OK; i++ {
		n := len(b)
		if len(lengths) > 0 {
			n = min(n, 1+int(lengths[i%len(lengths)]))
		}
		var taken int
		if taken, w.write = sender.Write(b[:n]); w.write == message.OK && taken != n {
			t.Fatalf("%d of %d bytes taken", taken, n)
		}
		b = b[n:]
	}
	if w.write == message.OK {
		w.send = sender.Send(nil)
	}
	if again := sender.Send(nil); again.Err != message.ErrNothingToSend {
		t.Fatalf("something is left to send: %v", again)
	}
	entire := make([]byte, reader.Next())
	n, _ := reader.Read(entire)
	w.received = string(entire[:n])
	return w
}

func open(t testing.TB, on *bus.Bus) *file.File {
	k, c := on.Open(bus.Owner{Original: true})
	if c != message.OK {
		t.Fatal(c)
	}
	return file.New(on, k, file.ReadWrite)
}

// seeds are messages, whole and in many ways not.
func seeds() (all [][]byte) {
	lay := func(h message.Header, name, data string) []byte {
		return message.AppendEntire(nil, &h, []byte(name), []byte(data))
	}
	good := lay(message.Header{ID: message.ID{Network: 3, Serial: 4}, Flags: message.Urgent}, "$.Fred", "abcde")
	all = [][]byte{
		nil, good, good[:87], good[:88], good[:90], good[:len(good)-1], append(bytes.Clone(good), 0),
		lay(message.Header{}, "$.a", ""), lay(message.Header{}, "$.*", ""), lay(message.Header{}, "$.Fr_d", "x"),
		lay(message.Header{Flags: message.WantAReply}, "$.Fred.Jim", "x"),
		lay(message.Header{InReplyTo: message.ID{Serial: 1}, To: 1}, "$.Fred", "x"),
		lay(message.Header{Flags: message.AllOrWait | message.AllOrFail}, "$.Fred", "x"),
		lay(message.Header{}, "$.Fred", string(make([]byte, 4096))),
	}
	for _, at := range []int{0, 52, 53, 56, 59, 64, 72, 80, 90, len(good) - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 0xFF
		all = append(all, bad)
	}
	return all
}

// FuzzWrite: how bytes are cut into writes makes no difference (R3.55, R3.59), whatever they are.
func FuzzWrite(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b, []byte{0})
		f.Add(b, []byte{87, 0, 5})
	}
	f.Fuzz(func(t *testing.T, b, lengths []byte) {
		whole, pieces := write(t, b, nil), write(t, b, lengths)
		if whole != pieces {
			t.Errorf("in one write %v, in pieces %v", whole, pieces)
		}
	})
}

// FuzzEntire: write and SEND, byte by byte, accept exactly the entire messages that message.ParseEntire accepts, and
// deliver what it finds in them.
func FuzzEntire(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w := write(t, b, []byte{0})
		h, name, data, c := message.ParseEntire(b, 4096)
		if c == message.OK {
			c = message.CheckOriginalName(name)
		}
		accepted := w.write == message.OK && w.send.Err != message.ErrIncomplete &&
			w.send.Err != message.ErrNothingToSend && w.send.Err != message.ErrBadAddress // pointy, and nothing to point at
		if accepted != (c == message.OK) {
			t.Fatalf("ParseEntire: %v; written: %v", c.Err(), w)
		}
		if !accepted || w.send.Err != message.OK {
			return
		}
		got, gotName, gotData, c := message.ParseEntire([]byte(w.received), 4096)
		if c != message.OK || !bytes.Equal(gotName, name) || !bytes.Equal(gotData, data) {
			t.Fatalf("sent %q %q, received %q %q, %v", name, data, gotName, gotData, c.Err())
		}
		h.ID, h.From, h.Extra = w.send.ID, got.From, 0 // R2.18
		h.Flags &^= message.Synthetic | message.WantYouToReply
		if got != h {
			t.Fatalf("sent %v, received %v", h, got)
		}
	})
}
