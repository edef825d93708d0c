package mcap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
	"kbus.example/kbus/internal/testing/sample"
)

func file(t testing.TB, events []event.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, false)
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

// record is a record of a file, and where it is.
type record struct {
	op   byte
	at   int
	body []byte
}

func records(file []byte, at int) (found []record) {
	for ; at < len(file) && string(file[at:]) != magic; at += recordHead + int(le.Uint64(file[at+1:])) {
		n := int(le.Uint64(file[at+1:]))
		found = append(found, record{file[at], at, file[at+recordHead : at+recordHead+n]})
	}
	return found
}

func chunks(file []byte) (found []record) {
	for _, r := range records(file, len(magic)) {
		if r.op == opChunk {
			found = append(found, r)
		}
	}
	return found
}

// A small mistake anywhere is noticed: checksums are over everything but the first bytes, lengths and the end, which are looked
// at themselves. What was read is from before it.
func TestEveryByteCounts(t *testing.T) {
	whole := file(t, sample.Talk())
	first := chunks(whole)[0]
	for at := range whole {
		spoilt := slices.Clone(whole)
		spoilt[at] ^= 0x10
		got, err := serials(spoilt)
		var broken *input.Broken
		if !errors.As(err, &broken) {
			t.Errorf("byte %d: %v", at, err)
		}
		const times = 16 // of a chunk: only the sum at the end is over them
		if at > first.at+recordHead+times && at < first.at+recordHead+len(first.body) && len(got) != 0 {
			t.Errorf("byte %d, in the first chunk: %d are read", at, got)
		}
		if !slices.Equal(got, all[:min(len(got), len(all))]) {
			t.Errorf("byte %d: %d", at, got)
		}
	}
}

// What others put into a file is passed over: records of other kinds, other channels, events outside of chunks.
func TestOthersRecords(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, false)
	b := w.buf
	add := func(op byte, body ...byte) {
		var at int
		b, at = begin(b, op)
		b = end(append(b, body...), at)
	}
	add(0x09, 1, 2, 3)
	add(0x90)
	b = appendSchema(b)
	b = appendChannel(b, 1, topic{name: "$.A"})
	add(opSchema, append([]byte{9, 0, 5, 0, 0, 0}, "other"...)...)
	add(opChannel, append([]byte{2, 0, 9, 0, 0, 0, 0, 0, 4, 0, 0, 0}, "json"...)...)
	add(opChannel, append([]byte{3, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0}, "cdr"...)...)
	object := appendObject(nil, &event.Event{Serial: 5})
	for id := byte(1); id <= 3; id++ {
		add(opMessage, append(append([]byte{id}, make([]byte, messageHead-1)...), object...)...)
	}
	add(opDataEnd, 0, 0, 0, 0)
	add(opFooter, make([]byte, footerBytes)...)
	b = append(b, magic...)
	if got, err := serials(b); err != nil || !slices.Equal(got, []uint64{5}) {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := serials(append(b, b...)); err == nil {
		t.Error("two files behind each other are one")
	}
}

// What cannot be says why, and where.
func TestBroken(t *testing.T) {
	whole := file(t, sample.Talk())
	at := chunks(whole)[1].at
	build := func(op byte, body ...byte) []byte {
		b, start := begin(nil, op)
		return end(append(b, body...), start)
	}
	chunk := func(bytes int, compression string, body ...byte) []byte {
		b := le.AppendUint64(make([]byte, 16), uint64(bytes))
		b = appendString(le.AppendUint32(b, 0), compression)
		return build(opChunk, append(le.AppendUint64(b, uint64(len(body))), body...)...)
	}
	head := make([]byte, messageHead)
	head[0] = 1
	for reason, next := range map[string][]byte{
		"compressed with lz4":        chunk(0, "lz4"),
		"lengths differ":             chunk(1, ""),
		"chunk that is too short":    build(opChunk, 1),
		"longer than its chunk":      chunk(2, "", 1, 2),
		"message that is too short":  build(opMessage, 1, 0),
		"channel that is not there":  build(opMessage, append([]byte{77}, make([]byte, 30)...)...),
		"no event":                   build(opMessage, append(slices.Clone(head), `{"happened":"flown"}`...)...),
		"record that is too short":   build(opChannel, 1),
		"record that is too long":    {opChunk, 0, 0, 0, 0, 0, 1, 0, 0},
		"end whose length cannot be": build(opFooter),
		"before the end of the data": build(opFooter, make([]byte, footerBytes)...),
		"not an end":                 append(append(build(opDataEnd, 0, 0, 0, 0), build(opFooter, make([]byte, footerBytes)...)...), "MCAP000000"...),
		"end of the data that is":    build(opDataEnd),
		"was not ended":              nil,
		"ends within a record":       {opChunk, 1},
		"ends within its end":        append(build(opDataEnd, 0, 0, 0, 0), build(opFooter, make([]byte, footerBytes)...)...),
	} {
		got, err := serials(append(slices.Clone(whole[:at]), next...))
		var broken *input.Broken
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), reason) || broken.Offset < int64(at) || !slices.Equal(got, all[:len(got)]) || len(got) != 5 {
			t.Errorf("%s: %d, %v", reason, got, err)
		}
	}
}

// Names that somebody makes up without end share a channel at last, and all are read.
func TestManyNames(t *testing.T) {
	var events []event.Event
	for i := range mostChannels + 10 {
		events = append(events, event.Event{Serial: uint64(i), Kind: event.Sent, Name: fmt.Appendf(nil, "$.Name%d", i)})
	}
	b := file(t, events)
	channels := 0
	for _, r := range records(b, len(magic)) {
		if r.op == opChannel {
			channels++
		}
	}
	if got, err := serials(b); err != nil || len(got) != len(events) || channels != mostChannels+1 {
		t.Errorf("%d events in %d channels, %v", len(got), channels, err)
	}
}

// Chunks end when they are large, and each is written with its indexes at once.
func TestLargeChunks(t *testing.T) {
	e := sample.Talk()[2]
	e.Data = bytes.Repeat([]byte("a"), chunkBytes/4)
	var events []event.Event
	for range 10 {
		events = append(events, e)
	}
	if n := len(chunks(file(t, events))); n != 3 {
		t.Errorf("%d chunks", n)
	}
}

func FuzzReader(f *testing.F) {
	whole := file(f, sample.Talk())
	f.Add(whole)
	f.Add(whole[:len(whole)-50])
	f.Add(compressedFile(f, sample.Talk()))
	for _, c := range chunks(whole) {
		f.Add(append([]byte(magic), c.body[40:]...)) // its records, which then have no checksum
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		var e event.Event
		for {
			err := r.Next(&e)
			var broken *input.Broken
			switch {
			case err == nil:
				var same event.Event
				err := parseObject(appendObject(nil, &e), &same)
				if err != nil || same.Serial != e.Serial || !bytes.Equal(same.Data, e.Data) || !bytes.Equal(same.Name, e.Name) {
					t.Fatalf("%v: %+v, %+v", err, e, same)
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
