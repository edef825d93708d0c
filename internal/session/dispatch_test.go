package session

import (
	"testing"

	"kbus.example/kbus/internal/wire"
)

// What the protocol says can be asked, the session does, and by one handler only.
func TestEveryOperationIsDone(t *testing.T) {
	for op := range wire.Op(255) {
		done := 0
		if int(op) < len(handlers) && handlers[op] != nil {
			done++
		}
		if int(op) < len(senders) && senders[op] != nil {
			done++
		}
		want := 1
		if rules := op.Rules(); rules == nil || rules.Needs == wire.Nobody || rules.Needs == wire.Stranger { // Hello is apart
			want = 0
		}
		if done != want {
			t.Errorf("%v has %d handlers, not %d", op, done, want)
		}
	}
}
