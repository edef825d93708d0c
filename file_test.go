package kbus_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

func entire(m *kbus.Message) []byte {
	return message.AppendEntire(nil, &m.Header, []byte(m.Name), m.Data)
}

// Messages can be written and read in pieces of any size, and what is read is what was written (R3.55, R3.40).
func TestBytes(t *testing.T) {
	onAll(t, func(w *world) {
		k := w.bound(kbus.Listener, "$.A")
		b := k.File()
		written := kbus.Announcement("$.A", bytes.Repeat([]byte("data"), 1000))
		for _, piece := range []int{1, 3, 1 << 20} {
			for p := entire(written); len(p) > 0; {
				n, err := b.Write(w.Context(), p[:min(piece*89, len(p))])
				w.must(err)
				p = p[n:]
			}
			sent, err := b.Send(w.Context())
			w.must(err)
			length, err := b.NextMsg(w.Context())
			w.must(err)
			is(w, "its length", length, len(entire(written))) // R2.6
			left, err := b.LenLeft(w.Context())
			w.must(err)
			is(w, "what is left", left, length) // F7
			var r io.Reader = reader{w, b}
			if piece == 3 {
				r = iotest.HalfReader(r)
			}
			read, err := io.ReadAll(r)
			w.must(err)
			written.ID, written.From = sent.ID, k.ID()
			if !bytes.Equal(read, entire(written)) {
				w.Errorf("read %d bytes that are not what was written", len(read))
			}
			written.ID, written.From = kbus.ID{}, 0
		}
		length, err := b.NextMsg(w.Context())
		w.must(err)
		is(w, "the length of nothing", length, 0)

		_, err = b.Send(w.Context())
		w.fails(err, kbus.ErrNothingToSend)
		_, err = b.Write(w.Context(), make([]byte, message.HeaderBytes))
		w.fails(err, kbus.ErrMalformed)
		_, err = b.Write(w.Context(), entire(written)[:90])
		w.must(err)
		_, err = b.Send(w.Context())
		w.fails(err, kbus.ErrIncomplete)
		_, err = b.Write(w.Context(), append(entire(written), 0))
		w.fails(err, kbus.ErrAfterEnd) // R3.60
		_, err = b.Write(w.Context(), nil)
		w.must(err)
		_, err = b.Send(w.Context())
		w.fails(err, kbus.ErrIncomplete) // R3.58
	})
}

// The library knows which Requests are open also when they were written and answered as bytes.
func TestBytesAndBusGone(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		b := us.File()
		var ids []kbus.ID
		for range 3 {
			_, err := b.Write(w.Context(), entire(kbus.Request("$.Q", "")))
			w.must(err)
			sent, err := b.Send(w.Context())
			w.must(err)
			ids = append(ids, sent.ID)
		}
		m, err := r.Next(w.Context())
		w.must(err)
		reply, err := m.Reply(nil)
		w.must(err)
		w.send(r, reply)
		_, err = b.NextMsg(w.Context())
		w.must(err)
		_, err = io.ReadAll(iotest.OneByteReader(reader{w, b}))
		w.must(err)

		w.end()
		for _, id := range ids[1:] {
			m, err := us.Receive(w.Context())
			w.must(err)
			is(w, "the Status is for", m.InReplyTo, id)
		}
		_, err = us.Receive(w.Context())
		w.fails(err, kbus.ErrBusGone)
		_, err = b.NextMsg(w.Context())
		w.fails(err, kbus.ErrBusGone)
	})
}

// reader is a File for what knows only io.Reader.
type reader struct {
	w *world
	f *kbus.File
}

func (r reader) Read(p []byte) (int, error) { return r.f.Read(r.w.Context(), p) }
