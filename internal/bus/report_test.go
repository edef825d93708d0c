package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// front is a window whose client has taken some of what it was shown.
type front struct {
	Window
	taken int
}

func (f *front) Taken() (n int) { n, f.taken = f.taken, 0; return n }
func (f *front) Shown() int     { return 0 }
func (f *front) Withdraw()      {}

// A report counts as set aside what still is when it has learnt what clients took without asking, in either list.
func TestInfoSyncsWindowsFirst(t *testing.T) {
	for _, original := range []bool{true, false} {
		b := New(Config{})
		must := func(c message.Condition) {
			t.Helper()
			if c != message.OK {
				t.Fatal(c)
			}
		}
		hearer, c := b.Open(Owner{Original: original})
		must(c)
		must(b.Bind(hearer, message.NameReplierBindEvent, false))
		_, c = b.ReportReplierBinds(hearer, 1)
		must(c)
		b.SetMaxMessages(hearer, 1)
		goes, c := b.Open(Owner{})
		must(c)
		must(b.Bind(goes, "$.A", true))
		b.Close(goes) // the event of that finds the queue full of the one before
		if n := b.Info().SetAside; n != 1 {
			t.Fatalf("original %v: %d events are set aside, not 1", original, n)
		}
		b.SetWindow(hearer, &front{taken: 1})
		if n := b.Info().SetAside; n != 0 {
			t.Errorf("original %v: %d events are set aside, though there is room", original, n)
		}
	}
}
