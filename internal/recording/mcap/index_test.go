package mcap

import (
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
)

// The summary and the indexes lead to every message, and count them. One that only tells of a loss has the time of the one before.
func TestIndexes(t *testing.T) {
	events := append(sample.Talk(), event.Event{Serial: 11, Bus: 3, Missed: 3})
	b := file(t, events)
	all := records(b, len(magic))
	byOffset := map[uint64]record{}
	for _, r := range all {
		byOffset[uint64(r.at)] = r
	}
	found := map[uint32]uint64{} // by sequence: time
	indexed, statistics := 0, 0
	for _, r := range all {
		switch f := (fields{b: r.body}); r.op {
		case opChunkIndex:
			indexed++
			first, last, start, length := f.u64(), f.u64(), f.u64(), f.u64()
			chunk := byOffset[start]
			if chunk.op != opChunk || length != uint64(recordHead+len(chunk.body)) || first != le.Uint64(chunk.body) || last != le.Uint64(chunk.body[8:]) {
				t.Errorf("a chunk at %d, %d long, from %d to %d, is not there", start, length, first, last)
			}
			offsets := fields{b: f.take(uint64(f.u32()))}
			bytes := uint64(0)
			for len(offsets.b) > 0 {
				channel := offsets.u16()
				index := byOffset[offsets.u64()]
				follow(t, channel, index, chunk.body[40:], found, first, last)
				bytes += uint64(recordHead + len(index.body))
			}
			if got := f.u64(); got != bytes {
				t.Errorf("indexes of %d bytes are said to have %d", bytes, got)
			}
		case opStatistics:
			statistics++
			count, schemas, channels, _, _, chunks, first, last := f.u64(), f.u16(), f.u32(), f.u32(), f.u32(), f.u32(), f.u64(), f.u64()
			if count != 11 || schemas != 1 || channels != 5 || chunks != 3 || first != uint64(events[0].Wall) || last != uint64(events[9].Wall) {
				t.Errorf("%d messages, %d schemas, %d channels, %d chunks, from %d to %d", count, schemas, channels, chunks, first, last)
			}
		}
	}
	for i, e := range events {
		want := uint64(e.Wall)
		if i == 10 {
			want = uint64(events[9].Wall)
		}
		if found[uint32(e.Serial)] != want {
			t.Errorf("event %d is at %d, want %d", e.Serial, found[uint32(e.Serial)], want)
		}
	}
	if indexed != 3 || statistics != 1 || len(found) != len(events) {
		t.Errorf("%d chunks, %d messages", indexed, len(found))
	}
}

// follow looks at each message of an index.
func follow(t *testing.T, channel uint16, index record, chunk []byte, found map[uint32]uint64, first, last uint64) {
	f := fields{b: index.body}
	if index.op != opMessageIndex || f.u16() != channel {
		t.Errorf("channel %d has no index", channel)
		return
	}
	for f.take(4); len(f.b) > 0; {
		time, offset := f.u64(), f.u64()
		m := records(chunk[offset:], 0)[0]
		if m.op != opMessage || le.Uint16(m.body) != channel || le.Uint64(m.body[6:]) != time || time < first || time > last {
			t.Errorf("no message of channel %d and time %d", channel, time)
		}
		found[le.Uint32(m.body[2:])] = time
	}
}

func TestIsText(t *testing.T) {
	for text, want := range map[string]bool{"": true, "on\t\r\n": true, "Größe": true, "\x00": false, "\x1b[m": false, "\x7f": false, "\xff": false, "a\xc3": false} {
		if isText([]byte(text)) != want {
			t.Errorf("%q is text: %t", text, !want)
		}
	}
}
