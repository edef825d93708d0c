package loop

import "testing"

// A line keeps the order, and takes no more memory however long it is never empty.
func TestLine(t *testing.T) {
	var w line
	conns := make([]conn, 100)
	at, taken := 0, 0
	push := func(n int) {
		for range n {
			w.push(&conns[at%len(conns)])
			at++
		}
	}
	for length := range 50 {
		push(length - w.len())
		for range 1000 {
			push(1)
			if c := w.pop(); c != &conns[taken%len(conns)] {
				t.Fatalf("not the oldest of %d, after %d", length+1, taken)
			}
			taken++
		}
		if w.len() != length {
			t.Fatalf("%d are left, not %d", w.len(), length)
		}
	}
	if cap(w.conns) > 4*50 {
		t.Errorf("there is room for %d", cap(w.conns))
	}
	for _, c := range w.conns[len(w.conns):cap(w.conns)] {
		if c != nil {
			t.Error("one that has gone is kept")
		}
	}
}
