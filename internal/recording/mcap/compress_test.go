package mcap

import (
	"bytes"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
	"kbus.example/kbus/internal/testing/sample"
)

func compressedFile(t testing.TB, events []event.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, true)
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

// A file with compressed chunks is smaller, and read as one without; where it is cut, it is read up to its last whole chunk.
func TestCompressed(t *testing.T) {
	var events []event.Event
	for range 300 {
		events = append(events, sample.Talk()...)
	}
	for i := range events {
		events[i].Serial, events[i].Boot = uint64(i+1), int64(i)*1e6 // three chunks
	}
	plain, packed := file(t, events), compressedFile(t, events)
	if len(packed) > len(plain)/5 {
		t.Errorf("%d bytes instead of %d", len(packed), len(plain))
	}
	want, err := serials(plain)
	if err != nil || len(want) != len(events) {
		t.Fatal(len(want), err)
	}
	if got, err := serials(packed); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d events: %v", len(got), err)
	}
	ends := []int{}
	for _, c := range chunks(packed) {
		ends = append(ends, c.at+recordHead+len(c.body))
	}
	for n := len(magic) + 1; n < len(packed); n += 97 {
		got, err := serials(packed[:n])
		var broken *input.Broken
		whole := 0
		for whole < len(ends) && ends[whole] <= n {
			whole++
		}
		if !errors.As(err, &broken) || !broken.Cut || len(got) == 0 != (whole == 0) || whole == len(ends) && len(got) != len(want) {
			t.Errorf("%d bytes, %d whole chunks: %d events, %v", n, whole, len(got), err)
		}
	}
}

// chunkOf is a file of one chunk that says it has so many bytes, as they are stored.
func chunkOf(size uint64, compression string, stored []byte) []byte {
	b, body := begin([]byte(magic), opChunk)
	b = le.AppendUint64(le.AppendUint64(b, 0), 0)
	b = le.AppendUint64(b, size)
	b = le.AppendUint32(b, 0)
	b = appendString(b, compression)
	b = le.AppendUint64(b, uint64(len(stored)))
	return end(append(b, stored...), body)
}

// What a few bytes claim to be costs memory only as far as it is true, and up to a limit.
func TestHostileChunks(t *testing.T) {
	packed := newEncoder().EncodeAll(make([]byte, 1<<20), nil)
	huge, err := zstd.NewWriter(nil, zstd.WithWindowSize(512<<20))
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 9<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for _, c := range []struct {
		reason string
		file   []byte
	}{
		{"it is longer than it says", chunkOf(1<<20-1, zstdName, packed)},
		{"it is shorter than it says", chunkOf(1<<20+1, zstdName, packed)},
		{"it is shorter than it says", chunkOf(mostUnpacked, zstdName, packed)},
		{"it is too long", chunkOf(mostUnpacked+1, zstdName, packed)},
		{"it is too long", chunkOf(1<<63, zstdName, packed)},
		{"exceeds configured limit", chunkOf(uint64(len(noise)), zstdName, huge.EncodeAll(noise, nil))},
		{"magic number mismatch", chunkOf(10, zstdName, []byte("0123456789"))},
		{"compressed with lz4", chunkOf(10, "lz4", []byte("0123456789"))},
		{"the checksum of a chunk is wrong", spoilt(packed)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := serials(c.file)
		runtime.ReadMemStats(&after)
		var broken *input.Broken
		if !errors.As(err, &broken) || !strings.Contains(broken.Reason, c.reason) {
			t.Errorf("%v, want %s", err, c.reason)
		}
		if memory := after.TotalAlloc - before.TotalAlloc; memory > uint64(4*len(c.file))+mostWindow+(8<<20) {
			t.Errorf("%s: %d bytes of memory for a file of %d", c.reason, memory, len(c.file))
		}
	}
}

// spoilt is a chunk whose checksum is that of something else.
func spoilt(packed []byte) []byte {
	file := chunkOf(1<<20, zstdName, packed)
	le.PutUint32(file[len(magic)+recordHead+24:], crc32.ChecksumIEEE([]byte("something else")))
	return file
}
