package bus

import (
	"fmt"
	"testing"

	"kbus.example/kbus/message"
)

// A Ksock with very many bindings closes in pieces, of which none is more than what one event is.

// crowdOfBindings is a bus with a Ksock that is the Replier of very many names, and others that listen to its bind events.
func crowdOfBindings(t *testing.T, names, listeners int) (b *Bus, k, asker *Ksock) {
	b = New(Config{})
	k, _ = b.Open(Owner{UID: 1})
	asker, _ = b.Open(Owner{UID: 2})
	for i := range names {
		if c := b.Bind(k, fmt.Sprintf("$.N%d", i), true); c != message.OK {
			t.Fatal(c)
		}
	}
	for i := range listeners {
		l, _ := b.Open(Owner{UID: 1})
		b.Bind(l, message.NameReplierBindEvent, false)
		if i == 0 {
			b.SetMaxMessages(l, 1<<30)
			b.askForEvents(l) // without the events of what is there
		}
	}
	b.Woken()
	return b, k, asker
}

func TestCloseInPieces(t *testing.T) {
	const names, listeners = 300, 100
	b, k, asker := crowdOfBindings(t, names, listeners)
	b.InPieces(LongQueue)
	b.Worked()
	b.Close(k)
	if n := b.Worked(); n > 4*closingPiece {
		t.Errorf("the close itself is %d steps", n)
	}
	if k.Open() || len(k.bindings) != names {
		t.Fatalf("open %v, with %d bindings: it was to close in pieces", k.Open(), len(k.bindings))
	}
	b.Close(k) // once more is nothing

	// Who asks it meanwhile has its GoneAway, and nobody replies to it.
	last := "$.N0"
	o := b.Send(asker, &message.Header{Flags: message.WantAReply}, []byte(last), nil)
	if o.Err != message.OK {
		t.Fatal(o.Err)
	}
	for _, w := range b.Woken() {
		if w == k {
			t.Error("one that is closing is woken")
		}
	}
	reply := message.Header{InReplyTo: message.ID{Serial: 1}, To: k.id}
	if o := b.Send(asker, &reply, []byte(last), nil); o.Err != message.ErrAddresseeGone {
		t.Errorf("a Reply to it: %v", o.Err)
	}
	most, calls := 0, 0
	for b.Worked(); b.Sweep(16); calls++ {
		most = max(most, b.Worked())
	}
	if most > 6*(listeners+16) {
		t.Errorf("one piece is %d steps; an event has %d Listeners", most, listeners)
	}
	if calls < names*listeners/16/4 {
		t.Errorf("%d events in %d calls of 16 steps", names*listeners, calls)
	}
	d, ok := b.Next(asker)
	if !ok || string(d.Name) != message.NameGoneAway || d.InReplyTo != o.ID {
		t.Errorf("%v %s", ok, d.Name)
	}
	if ok {
		b.Release(&d)
	}
	if o := b.Send(asker, &message.Header{Flags: message.WantAReply}, []byte(last), nil); o.Err != message.ErrNoReplier {
		t.Error(o.Err)
	}
	if len(k.bindings) != 0 || b.ksocks[k.id] != nil || b.bindings.repliers != 0 {
		t.Error("something is left of it")
	}
}

// Every Listener hears of each name that has gone, once, in the order in which they went.
func TestCloseInPiecesIsHeard(t *testing.T) {
	const names, listeners = 100, 60
	var heard [2][]string
	for i, piece := range []int{0, LongQueue} {
		b, k, _ := crowdOfBindings(t, names, listeners)
		b.InPieces(piece)
		var first *Ksock
		for l := range b.Ksocks() {
			if l.maxMessages == 1<<30 {
				first = l
			}
		}
		b.Close(k)
		for b.Sweep(16) {
		}
		for d, ok := b.Next(first); ok; d, ok = b.Next(first) {
			heard[i] = append(heard[i], string(d.Data))
			b.Release(&d)
		}
	}
	if len(heard[0]) != names || fmt.Sprintf("%q", heard[0]) != fmt.Sprintf("%q", heard[1]) {
		t.Errorf("%d events at once, %d in pieces, or others", len(heard[0]), len(heard[1]))
	}
}
