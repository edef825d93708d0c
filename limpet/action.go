package limpet

import "kbus.example/kbus"

// Action is one thing that the Machine's caller is to do. Actions are done in the order in which Next gives them, all of
// them before anything else is put into the Machine, and the outcome of each goes back to it with Done.
type Action struct {
	Kind    Kind
	Message *kbus.Message // for ToPair, Send, SendToListeners and Resolve; the caller must not change it
	Name    string        // for Bind and Unbind
	Of      kbus.Origin   // for Bind: the Replier that we are the proxy of; zero if our bus does not want to know
	Again   bool          // it has been tried before, and failed

	stateful bool // a Request that only one Replier will do for
	answer   bool // what a Request on our bus has waited for
}

// Kind is what is to be done.
type Kind uint8

// The kinds of Action. All but ToPair and Stop are operations of our Ksock.
const (
	ToPair          Kind = iota // send the message to the pair
	Send                        // Ksock.Send
	SendToListeners             // Ksock.SendToListeners
	Bind                        // Ksock.BindProxy, or Ksock.Bind as Replier
	Unbind                      // Ksock.Unbind, as Replier
	Resolve                     // Ksock.Who: the Outcome is the Ksock of the Replier for the message's name
	Snapshot                    // Ksock.Bindings, which are the Outcome; and have the bus report all Repliers again
	Stop                        // end in order: the message that ends the Limpet has come
)

func (k Kind) String() string {
	return [...]string{
		"to pair", "send", "send to listeners", "bind", "unbind", "resolve", "snapshot", "stop",
	}[k]
}

// Outcome is what became of an Action.
type Outcome struct {
	Condition  kbus.Condition     // message.OK, or why not
	Why        error              // the same in the words of the bus; for people
	Replier    kbus.KsockID       // of Resolve: the Ksock, 0 if there is none
	Bindings   []kbus.BindingInfo // of Snapshot
	Incomplete bool               // of Snapshot: there was no room to report all Repliers
}

// actions are those that the caller has yet to do.
type actions struct {
	list []Action
	done int
}

func (q *actions) emit(a Action) { q.list = append(q.list, a) }

func (q *actions) next() (Action, bool) {
	if q.done == len(q.list) {
		clear(q.list)
		q.list, q.done = q.list[:0], 0
		return Action{}, false
	}
	q.done++
	return q.list[q.done-1], true
}
