package file

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// A File is one small value until something is written or read, and afterwards keeps no buffer larger than keptBytes:
// ten thousand idle connections must cost little, whatever they once sent.
func TestMemoryKept(t *testing.T) {
	on := bus.New(bus.Config{})
	k, c := on.Open(bus.Owner{})
	if c != message.OK {
		t.Fatal(c)
	}
	on.Bind(k, "$.*", false)
	if n := testing.AllocsPerRun(10, func() { New(on, k, ReadWrite) }); n > 1 {
		t.Errorf("New allocates %v times", n)
	}
	for _, size := range []int{1, 1000, 100_000} {
		for _, end := range []struct {
			how string
			do  func(*File)
		}{
			{"send and read", func(f *File) { f.Send(nil); f.Read(make([]byte, f.Next())) }},
			{"send, read half", func(f *File) { f.Send(nil); f.Read(make([]byte, f.Next()/2)); f.Next() }},
			{"discard", (*File).Discard},
			{"error", func(f *File) { f.Write([]byte{0}) }},
		} {
			f := New(on, k, ReadWrite)
			m := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), make([]byte, size))
			if n, c := f.Write(m); n != len(m) || c != message.OK {
				t.Fatal(n, c)
			}
			end.do(f)
			if n := cap(f.draft.buf) + cap(f.reading.entire); n > 2*keptBytes {
				t.Errorf("%d bytes of data, %s: %d bytes kept", size, end.how, n)
			}
			if f.draft.started || f.LenLeft() != 0 {
				t.Errorf("%d bytes of data, %s: something is left", size, end.how)
			}
		}
	}
}
