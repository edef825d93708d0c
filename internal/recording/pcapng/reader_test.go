package pcapng

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// file is a recording in a byte order; ours write little-endian ones.
func file(t testing.TB, order byteOrder, events []event.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	if order != byteOrder(le) {
		w = WriterAt(&out, Position{order: order})
		at := w.begin(sectionBlock)
		w.u32(orderMagic)
		w.u32(1 << 16)
		w.u32(0xFFFFFFFF)
		w.u32(0xFFFFFFFF)
		w.end(at)
	}
	for i := range events {
		if err := w.Write(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// serials reads a file: which events there are, and what ended it if that is not the end.
func serials(file []byte) (found []uint64, err error) {
	r := NewReader(bytes.NewReader(file))
	for {
		var e event.Event
		if err = r.Next(&e); err != nil {
			if err == io.EOF {
				err = nil
			}
			return found, err
		}
		found = append(found, e.Serial)
	}
}

var all = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}

// blocks cuts a file of an order into its blocks.
func blocks(file []byte, order byteOrder) (cut [][]byte) {
	for len(file) > 0 {
		n := order.Uint32(file[4:])
		cut = append(cut, file[:n:n])
		file = file[n:]
	}
	return cut
}

// foreign is a block with some bytes in it.
func foreign(order byteOrder, kind uint32, body ...byte) []byte {
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, uint32(12+len(body)))
	return order.AppendUint32(append(b, body...), uint32(12+len(body)))
}

// A file of either byte order is read, and so are its blocks when there are others between them, of one kind that exists and one
// that does not; and packets of another link type.
func TestOthersBlocks(t *testing.T) {
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		whole := file(t, order, sample.Talk())
		if got, err := serials(whole); err != nil || !slices.Equal(got, all) {
			t.Errorf("%v: %d, %v", order, got, err)
		}
		var mixed []byte
		for i, b := range blocks(whole, order) {
			mixed = append(mixed, b...)
			if i == 1 {
				network := order.AppendUint16(nil, 1) // a second interface
				mixed = append(mixed, foreign(order, interfaceBlock, append(network, 0, 0, 0, 0, 0, 0)...)...)
			}
			mixed = append(mixed, foreign(order, 0x0BAD, make([]byte, 100)...)...)
			mixed = append(mixed, foreign(order, 5, 0, 0, 0, 0)...)
			if i > 1 {
				packet := make([]byte, 20)
				order.PutUint32(packet, 1)
				mixed = append(mixed, foreign(order, packetBlock, packet...)...)
			}
		}
		if got, err := serials(mixed); err != nil || !slices.Equal(got, all) {
			t.Errorf("%v, mixed: %d, %v", order, got, err)
		}
	}
}

// A file of several sections, which others write, is read; so is one where the second is of the other byte order.
func TestSections(t *testing.T) {
	talk := sample.Talk()
	both := file(t, le, talk[:4])
	both = append(both, foreign(le, interfaceBlock, 1, 0, 0, 0, 0, 0, 0, 0)...) // whose number is another in the second section
	var second bytes.Buffer
	w := WriterAt(&second, Position{order: binary.BigEndian})
	w.buf = append(w.buf, blocks(file(t, binary.BigEndian, nil), binary.BigEndian)[0]...)
	first := talk[4]
	first.Bus = 9
	for _, e := range append([]event.Event{first}, talk[5:]...) {
		if err := w.Write(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	both = append(both, second.Bytes()...)
	if got, err := serials(both); err != nil || !slices.Equal(got, all) {
		t.Errorf("%d, %v", got, err)
	}
	position, err := Resume(bytes.NewReader(both))
	if err != nil || position.End != int64(len(both)) || position.Serial != 10 {
		t.Fatalf("goes on at %+v, %v", position, err)
	}
	var more bytes.Buffer
	w = WriterAt(&more, position)
	next := event.Event{Serial: 11, Kind: event.Opened}
	if err := errors.Join(w.Write(&next), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := serials(append(both, more.Bytes()...)); err != nil || !slices.Equal(got, append(all, 11)) {
		t.Errorf("%d, %v", got, err)
	}
}

// What cannot be is an error that says where, and what came before it was read.
func TestBroken(t *testing.T) {
	whole := file(t, le, sample.Talk())
	last := blocks(whole, le)
	at := len(whole) - len(last[len(last)-1])
	for reason, spoil := range map[string]func(b []byte) []byte{
		"two lengths differ":      func(b []byte) []byte { b[len(b)-4]++; return b },
		"length cannot be":        func(b []byte) []byte { b[4]++; return b },
		"too long":                func(b []byte) []byte { b[7] = 0x70; return b },
		"interface that is not":   func(b []byte) []byte { b[8] = 7; return b },
		"longer than its block":   func(b []byte) []byte { b[21] = 1; return b },
		"too short":               func(b []byte) []byte { b[20], b[21] = 10, 0; return b },
		"later version":           func(b []byte) []byte { b[28] = 2; return b },
		"cut before its name":     func(b []byte) []byte { b[20] -= 70; return b },
		"contradict each other":   func(b []byte) []byte { b[28+programLen]++; return b },
		"within a block":          func(b []byte) []byte { return b[:len(b)-1] },
		"without a byte order":    func([]byte) []byte { return foreign(le, sectionBlock, 1, 2, 3, 4) },
		"interface that is too s": func([]byte) []byte { return foreign(le, interfaceBlock, 1, 2, 3, 4) },
	} {
		got, err := serials(append(slices.Clone(whole[:at]), spoil(slices.Clone(whole[at:]))...))
		var broken *input.Broken
		if !errors.As(err, &broken) || broken.Offset != int64(at) || !strings.Contains(err.Error(), reason) || !slices.Equal(got, all[:9]) {
			t.Errorf("%s: %d, %v", reason, got, err)
		}
		if _, err := Resume(bytes.NewReader(append(slices.Clone(whole[:at]), spoil(slices.Clone(whole[at:]))...))); (err == nil) != broken.Cut {
			t.Errorf("%s: goes on, %v", reason, err)
		}
	}
}

// A packet that a tool has cut is read with what is left of its name and its data.
func TestCutPacket(t *testing.T) {
	e := event.Event{Kind: event.Sent, Program: "lamp", Name: []byte("$.Lamp"), Data: []byte("0123456789"), DataBytes: 10}
	b := appendPacket(nil, &e)
	for lost, want := range map[int][2]string{3: {"$.Lamp", "0123456"}, 10: {"$.Lamp", ""}, 12: {"$.La", ""}, 16: {"", ""}} {
		var got event.Event
		reason := parsePacket(slices.Clone(b[:len(b)-lost]), true, &got)
		if reason != "" || string(got.Name) != want[0] || string(got.Data) != want[1] || got.DataBytes != 10 || got.Program != "lamp" {
			t.Errorf("%d bytes less: %s, %+v", lost, reason, got)
		}
	}
	if reason := parsePacket(slices.Clone(b[:len(b)-17]), true, &e); reason == "" {
		t.Error("a message without a header is one")
	}
}

// A trace context that is not whole any more is left out, and its mark; and one that is whole stays though data is missing.
func TestCutTrace(t *testing.T) {
	e := event.Event{Kind: event.Sent, Name: []byte("$.Lamp"), Data: []byte("0123456789"), DataBytes: 20}
	e.Trace = message.AppendTrace(nil, &message.Trace{Parent: "parent", State: "state"})
	whole := appendPacket(nil, &e)
	for lost := range len(e.Trace) + 3 {
		var got event.Event
		reason := parsePacket(bytes.Clone(whole[:len(whole)-lost]), true, &got)
		data := e.Data[:len(e.Data)-max(0, lost-len(e.Trace))]
		if reason != "" || !bytes.Equal(got.Data, data) || (got.Trace != nil) != (lost == 0) {
			t.Errorf("without %d bytes: %q, data %q, trace %q", lost, reason, got.Data, got.Trace)
		}
		if marked := got.Header.Flags.Has(message.TraceMark); marked && lost != len(e.Trace) { // then it could be a flag of the sender's
			t.Errorf("without %d bytes it has the mark of one", lost)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		whole := file(f, order, sample.Talk())
		f.Add(whole)
		f.Add(whole[:len(whole)-7])
		f.Add(append(slices.Clone(whole), whole...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		var e event.Event
		for {
			err := r.Next(&e)
			var broken *input.Broken
			switch {
			case err == nil:
				again := appendPacket(nil, &e)
				var same event.Event
				if reason := parsePacket(again, false, &same); reason != "" || same.Serial != e.Serial || !bytes.Equal(same.Data, e.Data) {
					t.Fatalf("%s: %+v, %+v", reason, e, same)
				}
				continue
			case errors.As(err, &broken):
				if broken.Offset < 0 || broken.Offset > int64(len(b)) {
					t.Errorf("%v, in %d bytes", err, len(b))
				}
			case err != io.EOF:
				t.Error(err)
			}
			return
		}
	})
}
