package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"kbus.example/kbus/internal/testing/sample"
)

// mostMemory is what reading a file of so many bytes may take: a few copies of it, and what a reader has anyway.
func mostMemory(file int) uint64 { return uint64(20*file) + 1<<20 }

// memoryOf is what it takes to read a file, well or not.
func memoryOf(file []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if r, _, err := Open(bytes.NewReader(file)); err == nil {
		var e Event
		for r.Next(&e) == nil {
		}
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A length in a file costs no memory before that many bytes have come, wherever it stands and however large it is.
func TestHostileSizes(t *testing.T) {
	for _, f := range formats {
		whole := record(t, f, sample.Talk())
		for _, size := range []uint64{1<<64 - 1, 1<<32 - 4, 16 << 20} {
			for _, bytes := range []int{4, 8} {
				for at := 8; at+bytes <= len(whole); at++ {
					spoilt := slices.Clone(whole)
					for i := range bytes {
						spoilt[at+i] = byte(size >> (8 * i))
					}
					if n := memoryOf(spoilt); n > mostMemory(len(whole)) {
						t.Fatalf("%s, %#x in %d bytes at %d: %d bytes of memory for a file of %d", f, size, bytes, at, n, len(whole))
					}
				}
			}
		}
	}
}

// Anything may stand in a file: it is read or not, soon and in little memory.
func FuzzOpen(f *testing.F) {
	for _, format := range formats {
		whole := record(f, format, sample.Talk())
		f.Add(whole)
		f.Add(whole[:len(whole)*3/4])
		f.Add(binary.LittleEndian.AppendUint64(slices.Clone(whole[:100]), 1<<62))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _, err := read(bytes.NewReader(file))
		var broken *Broken
		if err != nil && (!errors.As(err, &broken) || broken.Offset < 0 || broken.Offset > int64(len(file)) || errors.Is(err, io.EOF)) {
			t.Fatalf("%v, in %d bytes", err, len(file))
		}
		if n := memoryOf(file); n > mostMemory(len(file))+mostUnpacked(file) {
			t.Fatalf("%d bytes of memory for a file of %d", n, len(file))
		}
	})
}

// mostUnpacked is what a file with a compressed chunk may take besides.
func mostUnpacked(file []byte) uint64 {
	if bytes.Contains(file, []byte("zstd")) {
		return 1 << 30
	}
	return 0
}
