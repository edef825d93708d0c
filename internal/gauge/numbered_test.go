package gauge

import (
	"bytes"
	"strings"
	"testing"
)

// Whatever the size of a message, it is told from its neighbours.
func TestNumbered(t *testing.T) {
	for _, size := range []int{1, 2, 7, 8, 9, 100} {
		d := newDraft(size)
		for _, n := range []uint64{0, 1, 77, 254} {
			data := bytes.Clone(d.number(n))
			if err := check(data, size, n); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
			if err := check(data, size, n+1); err == nil {
				t.Errorf("size %d: message %d was taken for the next", size, n)
			}
			if err := check(data, size+1, n); err == nil || !strings.Contains(err.Error(), "bytes instead of") {
				t.Errorf("size %d: %v", size, err)
			}
		}
	}
	if err := check(nil, 0, 5); err != nil {
		t.Errorf("a message without data has no number: %v", err)
	}
}
