package recording

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"kbus.example/kbus/internal/testing/sample"
)

// A recorder has to keep up with a bus.
func BenchmarkWrite(b *testing.B) {
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			events := sample.Talk()
			w, _ := Create(f, io.Discard, Plain)
			b.ReportAllocs()
			for b.Loop() {
				for i := range events {
					if err := w.Write(&events[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			file := record(b, f, sample.Talk())
			b.ReportAllocs()
			for b.Loop() {
				r, _, err := Open(bytes.NewReader(file))
				var e Event
				for err == nil {
					err = r.Next(&e)
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}
