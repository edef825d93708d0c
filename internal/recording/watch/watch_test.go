package watch

import (
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

const second = int64(1e9)

// Names are found when something is sent under them, also when it is refused.
func TestNames(t *testing.T) {
	w := Watch{Patterns: []string{"$.Door.%", "$.Picture"}}
	var found []string
	for _, e := range sample.Talk() {
		if because := w.Event(&e); because != "" {
			found = append(found, because)
		}
	}
	if len(found) != 2 || found[0] != "Request $.Door.Open [0:0]" || found[1] != "Announcement $.Picture [0:3]" {
		t.Errorf("%q", found)
	}
}

// A Request is found when it waits too long, once, and not when it was answered, refused, or of another life of the bus.
func TestUnanswered(t *testing.T) {
	w := Watch{Limit: 2 * second}
	sent := func(id uint32, at int64, c message.Condition) {
		w.Event(&event.Event{Kind: event.Sent, Boot: at, Condition: c, Name: []byte("$.Q"), Header: message.Header{ID: message.ID{Serial: id}, Flags: message.WantAReply}})
	}
	check := func(at int64, want string) {
		t.Helper()
		if got := w.Overdue(at); got != want {
			t.Errorf("at %d: %q, want %q", at/second, got, want)
		}
	}
	sent(1, 10*second, message.OK)
	sent(2, 10*second, message.OK)
	sent(3, 10*second, message.ErrNoReplier)
	sent(4, 11*second, message.ErrPending)
	w.Event(&event.Event{Kind: event.Taken, Header: message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}})
	w.Event(&event.Event{Kind: event.Sent, Header: message.Header{ID: message.ID{Serial: 5}, InReplyTo: message.ID{Serial: 1}}})
	check(12*second-1, "")
	check(12*second, "Request $.Q [0:2] is not answered")
	check(12*second, "")
	sent(4, 12*second, message.OK) // it waited for room; it waits since then
	check(13*second, "Request $.Q [0:4] is not answered")
	sent(6, 13*second, message.OK)
	w.Event(&event.Event{Kind: event.Status, Name: []byte(message.NameGoneAway), Header: message.Header{InReplyTo: message.ID{Serial: 6}}})
	check(20*second, "")
	sent(7, 20*second, message.OK)
	w.Reconnected()
	check(30*second, "")
	for i := range uint32(mostOpen + 100) {
		sent(i+100, 30*second, message.OK)
	}
	if len(w.open) != mostOpen {
		t.Errorf("%d are remembered", len(w.open))
	}
}

// What others are refused, with whatever id, ends nobody's waiting.
func TestUnansweredBesideARefusalOfTheSameID(t *testing.T) {
	for _, other := range []uint32{1, 2} { // the asker itself, and a stranger
		w := Watch{Limit: second}
		for _, e := range []event.Event{{Ksock: 1, Replier: 9}, {Ksock: other, Condition: message.ErrNoReplier}} {
			e.Kind, e.Name, e.Header = event.Sent, []byte("$.Q"), message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}
			w.Event(&e)
		}
		w.Event(&event.Event{Kind: event.Status, Header: message.Header{InReplyTo: message.ID{Serial: 1}, To: 5}})
		if got := w.Overdue(second); got != "Request $.Q [0:1] is not answered" {
			t.Errorf("beside a refusal of Ksock %d: %q", other, got)
		}
	}
	w := Watch{Limit: second}
	for _, e := range []event.Event{{Ksock: 1, Condition: message.ErrPending}, {Ksock: 1, Condition: message.ErrNoReplier}} {
		e.Kind, e.Header = event.Sent, message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}
		w.Event(&e)
	}
	if got := w.Overdue(second); got != "" {
		t.Errorf("it has waited for room in vain: %q", got)
	}
}
