package limpet

import "kbus"

// Duty is one thing that the Machine's caller owes. Duties are to be done in the order in which they are given, all of
// them before anything else is put into the Machine, and the outcome of each is to be told with Done.
type Duty struct {
	Do      Verb
	Message *kbus.Message // for ToPair, Send, SendToListeners and Resolve; the caller must not change it
	Name    string        // for Bind and Unbind
	Of      kbus.Origin   // for Bind: of whom we are the proxy; zero if our bus does not want to know
	Again   bool          // it has been tried before, and failed

	stateful bool // a Request that only one Replier will do for
	answer   bool // what a Request on our bus has waited for
}

// Verb is what is to be done.
type Verb uint8

// The duties there are. All but ToPair and Stop are operations of our Ksock.
const (
	ToPair          Verb = iota // send the message to the pair
	Send                        // Ksock.Send
	SendToListeners             // Ksock.SendToListeners
	Bind                        // Ksock.BindProxy, or Ksock.Bind as Replier
	Unbind                      // Ksock.Unbind, as Replier
	Resolve                     // Ksock.Who: tell in the Outcome which Ksock is the Replier for the message's name
	Snapshot                    // Ksock.Bindings: tell them in the Outcome
	Stop                        // end in order: somebody has sent the message that says so
)

func (v Verb) String() string {
	return [...]string{
		"to pair", "send", "send to listeners", "bind", "unbind", "resolve", "snapshot", "stop",
	}[v]
}

// Outcome is what became of a duty.
type Outcome struct {
	Condition kbus.Condition     // message.OK, or why not
	Replier   uint32             // of Resolve: the Ksock, 0 if there is none
	Bindings  []kbus.BindingInfo // of Snapshot
}
