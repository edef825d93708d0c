package pcapng

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
)

// options reads those of a block, from offset at on.
func options(b []byte, at int) map[uint16]string {
	found := map[uint16]string{}
	for b = b[at : len(b)-4]; len(b) >= 4 && le.Uint16(b) != optionEnd; {
		n := int(le.Uint16(b[2:]))
		found[le.Uint16(b)] = string(b[4 : 4+n])
		b = b[4+(n+3)/4*4:]
	}
	return found
}

// packetOptions gives those of each packet.
func packetOptions(file []byte) (found []map[uint16]string) {
	for _, b := range blocks(file, le) {
		if le.Uint32(b) == packetBlock {
			found = append(found, options(b, 28+(int(le.Uint32(b[20:]))+3)/4*4))
		}
	}
	return found
}

func kinds(file []byte) (kinds []uint32) {
	for _, b := range blocks(file, le) {
		kinds = append(kinds, le.Uint32(b))
	}
	return kinds
}

// A loss stands where tools look for it; each Ksock is named once, and again when the bus may be another life of it.
func TestOptions(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	lamp := event.Event{Kind: event.Sent, Ksock: 1, Program: "lamp", PID: 5, UID: 6}
	lost := event.Event{Kind: event.Lost, Missed: 1 << 40}
	write := func(events ...event.Event) {
		for _, e := range events {
			if err := w.Write(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(lamp, lamp, lost)
	w.Reconnected()
	write(lamp, lamp, lamp)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := kinds(out.Bytes()), []uint32{sectionBlock, 1, 6, 6, 6, 1, 6, 6, 6}; !slices.Equal(got, want) {
		t.Errorf("blocks %d, want %d", got, want)
	}
	const named = "Ksock 1 is lamp, process 5, user 6"
	for i, want := range []string{named, "", "", named, "", ""} {
		got := packetOptions(out.Bytes())[i]
		missed := ""
		if i == 2 {
			missed = "\x00\x00\x00\x00\x00\x01\x00\x00"
		}
		if got[optionComment] != want || got[optionLost] != missed {
			t.Errorf("packet %d: %v", i, got)
		}
	}
}

// What a tap has cut, and what is too long for the tools, is missing of the length that was captured and not of the one reported.
func TestLengths(t *testing.T) {
	e := event.Event{Kind: event.Sent, Name: []byte("$.A"), Data: make([]byte, 5), DataBytes: 5}
	form := uint32(len(appendPacket(nil, &e)) - 5)
	for _, c := range []struct{ data, whole, captured, reported uint32 }{
		{5, 5, form + 5, form + 5}, {5, 7, form + 5, form + 7}, {0, 7, form, form + 7}, {0, 0xFFFFFFFF, form, 0xFFFFFFFF},
		{mostPacket - form, mostPacket - form, mostPacket, mostPacket}, {mostPacket, mostPacket, mostPacket, mostPacket + form},
	} {
		e.Data, e.DataBytes = make([]byte, c.data), c.whole
		b := file(t, le, []event.Event{e})
		packet := blocks(b, le)[2]
		if captured, reported := le.Uint32(packet[20:]), le.Uint32(packet[24:]); captured != c.captured || reported != c.reported {
			t.Errorf("%d of %d bytes: captured %d, reported %d", c.data, c.whole, captured, reported)
		}
		var got event.Event
		if err := NewReader(bytes.NewReader(b)).Next(&got); err != nil || got.DataBytes != c.whole || len(got.Data) != int(min(c.data, mostPacket-form)) {
			t.Errorf("%d of %d bytes: %d of %d are read, %v", c.data, c.whole, len(got.Data), got.DataBytes, err)
		}
	}
}

// Each write is whole blocks.
func TestWholeBlocks(t *testing.T) {
	var pieces pieces
	w := NewWriter(&pieces)
	e := sample.Talk()[2]
	for range 3000 {
		if err := w.Write(&e); err != nil {
			t.Fatal(err)
		}
	}
	if len(pieces) < 3 {
		t.Errorf("%d pieces", len(pieces))
	}
	for _, p := range pieces {
		blocks(p, le) // panics
	}
	fails := NewWriter(failing{})
	if err := errors.Join(fails.Write(&e), fails.Flush()); err == nil || !strings.Contains(err.Error(), "full") {
		t.Error(err)
	}
	if err := fails.Tick(0); err == nil {
		t.Error("it forgets that the file failed")
	}
}

type pieces [][]byte

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, slices.Clone(b))
	return len(b), nil
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// Each bus has an interface; the time of a block is that of the event, or of the one before if it only tells of a loss.
func TestInterfacesAndTimes(t *testing.T) {
	const wall = 1_800_000_000_123_456_789
	b := file(t, le, []event.Event{{Bus: 7, Wall: wall}, {Bus: 9, Wall: wall + 1}, {Bus: 7, Missed: 1}, {Bus: 9, Wall: wall - 1}})
	var names []string
	var got [][2]uint64
	for _, b := range blocks(b, le) {
		switch le.Uint32(b) {
		case interfaceBlock:
			names = append(names, options(b, 16)[optionName])
		case packetBlock:
			got = append(got, [2]uint64{uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))<<32 | uint64(le.Uint32(b[16:]))})
		}
	}
	if !slices.Equal(names, []string{"bus7", "bus9"}) {
		t.Errorf("interfaces %q", names)
	}
	if want := [][2]uint64{{0, wall}, {1, wall + 1}, {0, wall + 1}, {1, wall - 1}}; !slices.Equal(got, want) {
		t.Errorf("packets of %d, want %d", got, want)
	}
}

// Ksocks without end take no memory without end.
func TestManyKsocks(t *testing.T) {
	w := NewWriter(&pieces{})
	for i := range 2*mostKnown + 5 {
		if err := w.Write(&event.Event{Kind: event.Opened, Ksock: uint32(i + 1)}); err != nil {
			t.Fatal(err)
		}
		if len(w.known) > mostKnown {
			t.Fatalf("%d are known", len(w.known))
		}
	}
}
