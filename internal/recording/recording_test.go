package recording

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/internal/wire"
	"pgregory.net/rapid"
)

var formats = []Format{Pcapng, MCAP}

// same compares events; nothing and empty are the same.
func same(a, b *Event) bool {
	form := func(e *Event) []byte { t := e.Tap(); return wire.AppendTapEvent(nil, &t) }
	return a.Serial == b.Serial && a.Bus == b.Bus && a.Kind == b.Kind && a.Condition == b.Condition && bytes.Equal(form(a), form(b))
}

func record(t testing.TB, f Format, events []Event) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := Create(f, &file, Plain)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, events)
	return file.Bytes()
}

func write(t testing.TB, w Writer, events []Event) {
	t.Helper()
	for i := range events {
		if err := w.Write(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// read gives what can be read, and the error it ended with if that is not the end.
func read(file io.Reader) (events []Event, f Format, err error) {
	r, f, err := Open(file)
	if err != nil {
		return nil, f, err
	}
	for {
		var e Event
		if err = r.Next(&e); err != nil {
			if again := r.Next(&e); again != err { //nolint:errorlint // the very same
				return nil, f, errors.New("another error the second time")
			}
			if err == io.EOF {
				err = nil
			}
			return events, f, err
		}
		e.Name, e.Data, e.Trace = slices.Clone(e.Name), slices.Clone(e.Data), slices.Clone(e.Trace)
		events = append(events, e)
	}
}

func compare(t interface{ Fatalf(string, ...any) }, got, want []Event) {
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		if !same(&got[i], &want[i]) {
			t.Fatalf("event %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, f := range formats {
		t.Run(string(f), rapid.MakeCheck(func(r *rapid.T) {
			events := rapid.SliceOfN(sample.Any(), 0, 6).Draw(r, "events")
			got, format, err := read(bytes.NewReader(record(t, f, events)))
			if err != nil || format != f {
				r.Fatalf("%s: %v", format, err)
			}
			compare(r, got, events)
		}))
	}
}

// A recording that ends anywhere gives whole events, and then says that its end is missing. With a capture file that cannot be
// seen where a block has just ended.
func TestCutAnywhere(t *testing.T) {
	events := sample.Talk()
	for _, f := range formats {
		file := record(t, f, events)
		for n := 4; n < len(file); n++ {
			got, _, err := read(bytes.NewReader(file[:n]))
			var broken *Broken
			cut := errors.As(err, &broken) && broken.Cut && broken.Offset <= int64(n)
			if !cut && !(f == Pcapng && err == nil) {
				t.Errorf("%s, %d bytes: %v", f, n, err)
			}
			compare(t, got, events[:min(len(got), len(events))])
		}
	}
}

// What a daemon shows is what is kept of it, and back.
func TestTap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := sample.Any().Draw(r, "event")
		tap := e.Tap()
		b := wire.AppendTapEvent(nil, &tap)
		var parsed wire.TapEvent
		if !wire.ParseTapEvent(b, &parsed) {
			r.Fatalf("not read")
		}
		got := event.FromTap(uint32(e.Kind), e.Condition, &parsed)
		got.Serial, got.Bus = e.Serial, e.Bus
		compare(r, []Event{got}, []Event{e})
	})
}

// What happened is handed on when a second has passed, by an event or by Tick, in whole pieces; and Bytes has counted it.
func TestASecond(t *testing.T) {
	const second = int64(1e9)
	for _, f := range formats {
		var file bytes.Buffer
		w, _ := Create(f, &file, Plain)
		step := func(boot int64, want int) {
			t.Helper()
			e := Event{Kind: event.Opened, Boot: boot}
			if err := w.Write(&e); err != nil {
				t.Fatal(err)
			}
			seen(t, f, file.Bytes(), want)
		}
		step(5*second, 0)
		step(6*second-1, 0)
		step(6*second, 3)
		step(6*second+1, 3)
		for at, want := range []int{3, 4} {
			if err := w.Tick(7*second + int64(at)); err != nil {
				t.Fatal(err)
			}
			seen(t, f, file.Bytes(), want)
		}
		if int(w.Bytes()) != file.Len() {
			t.Errorf("%s: %d bytes are said to be %d", f, file.Len(), w.Bytes())
		}
	}
}

func seen(t *testing.T, f Format, file []byte, want int) {
	t.Helper()
	got, _, _ := read(bytes.NewReader(file))
	if len(got) != want {
		t.Errorf("%s: %d events are there, want %d", f, len(got), want)
	}
}

// A recording goes on after somebody was killed in the middle of a block.
func TestAppend(t *testing.T) {
	events := sample.Talk()
	whole := record(t, Pcapng, events[:4])
	f, err := os.Create(filepath.Join(t.TempDir(), "a.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err = f.Write(append(append(whole, 6, 0, 0, 0, 0, 0, 1, 0), make([]byte, 50_000)...)); err != nil {
		t.Fatal(err)
	}
	_, _ = f.Seek(0, io.SeekStart)
	w, serial, err := Append(f)
	if err != nil || serial != 4 || w.Bytes() != int64(len(whole)) {
		t.Fatalf("goes on at %d after %d, %v", w.Bytes(), serial, err)
	}
	write(t, w, events[4:])
	_, _ = f.Seek(0, io.SeekStart)
	got, _, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, events)
}

func TestOthers(t *testing.T) {
	for _, text := range []string{"", "\n\r", "hello, bus", "\x1f\x8b\x08\x00", "\x28\xb5\x2f\xfd\x00"} {
		if _, _, err := read(bytes.NewReader([]byte(text))); err == nil {
			t.Errorf("%q is taken for a recording", text)
		}
	}
	if _, err := Create("text", io.Discard, Plain); err == nil {
		t.Error("any format will do")
	}
	for name, want := range map[string]Format{"a.pcapng": Pcapng, "b/c.mcap": MCAP, "mcap": "", "a.pcapng.gz": ""} {
		if f, ok := FormatOf(name); f != want || ok != (want != "") {
			t.Errorf("%s: %q", name, f)
		}
	}
}
