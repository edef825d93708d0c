package bus

import (
	"fmt"
	"testing"

	"kbus.example/kbus/message"
)

// New rules take a Ksock very many names, and very many listen to that. It goes in pieces; and yet nobody's Request reaches one that
// may not have it, and each name is free for others.
func TestDeposedInPieces(t *testing.T) {
	const names, listeners = 300, 100
	b, k, asker := crowdOfBindings(t, names, listeners)
	b.InPieces(LongQueue)
	rule := &denies{}
	k.owner.Judge = rule
	other, _ := b.Open(Owner{UID: 3})
	b.Send(asker, &message.Header{Flags: message.WantAReply}, []byte("$.N5"), nil)
	for i := range names {
		rule.lines = append(rule.lines, fmt.Sprintf("reply $.N%d", i))
	}
	b.Worked()
	if lost := b.SetRuled(true); len(lost) != names {
		t.Fatalf("%d names lost", len(lost))
	}
	if n := b.Worked(); n > closingPiece {
		t.Errorf("that is %d steps in one go", n)
	}
	if len(b.deposed) != names || !b.Littered() {
		t.Fatal("it was to go in pieces")
	}
	if o := b.Send(asker, &message.Header{Flags: message.WantAReply}, []byte("$.N7"), nil); o.Err != message.ErrNoReplier {
		t.Errorf("a Request of a name that it has lost: %+v", o)
	}
	if id := b.Replier("$.N8"); id != 0 {
		t.Errorf("the Replier is still %d", id)
	}
	if c := b.Bind(other, "$.N9", true); c != message.OK {
		t.Errorf("another binds the name: %v", c)
	}
	if c := b.Unbind(k, "$.N10", true); c != message.OK {
		t.Errorf("it unbinds one itself: %v", c)
	}
	b.SetRuled(true) // once more takes nothing twice
	most := 0
	for b.Worked(); b.Sweep(16); {
		most = max(most, b.Worked())
	}
	if most > 6*(listeners+16) {
		t.Errorf("one piece is %d steps; an event has %d Listeners", most, listeners)
	}
	if len(k.bindings) != 0 || b.bindings.repliers != 1 || b.Replier("$.N9") != other.id {
		t.Errorf("it has %d bindings; there are %d Repliers", len(k.bindings), b.bindings.repliers)
	}
	if d, ok := b.Next(asker); !ok || string(d.Name) != message.NameUnbound {
		t.Errorf("who had asked gets %s", d.Name)
	}
}
