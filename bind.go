package kbus

import (
	"slices"

	"kbus/internal/wire"
)

// Role is what a Ksock binds to a name as.
type Role uint8

// The roles. A message goes to all Listeners of its name; a Request also to its one Replier.
const (
	Listener Role = iota
	Replier
)

// String gives "Listener" or "Replier".
func (r Role) String() string {
	if r == Replier {
		return "Replier"
	}
	return "Listener"
}

// Binding is a name that a Ksock is bound to.
type Binding struct {
	Name string
	As   Role
}

// Bind has the Ksock receive messages of that name from now on (R3.20). The name may end in a wildcard: ".%" stands for
// one word, ".*" for one or more. A Ksock may bind to a name several times as Listener and then gets as many copies.
//
// ErrBadName and ErrNameTooLong are about the name; ErrReplierBound if it has a Replier already; ErrUserBindings and
// ErrBusBindings at a limit. ErrEventUndelivered means that somebody who listens for replier bind events has not caught
// up: try again. On a bus that is joined to others, Bind as Replier waits until it is known whether the name is free
// there; ErrNoFederation if nobody can tell.
func (k *Ksock) Bind(name string, as Role) error {
	if err := k.conn.Load().tell(wire.OpBind, uint32(as), name); err != nil {
		return err
	}
	k.remember(func(m *memory) { m.bindings = append(m.bindings, Binding{name, as}) })
	return nil
}

// Unbind takes a binding back, the newest if there are several that are the same (R3.27). Messages that wait in the
// queue because of it are removed, and who sent a Request among them gets the Status ErrUnbound (R6.1). ErrNotBound if
// there is none; ErrEventUndelivered as for Bind.
func (k *Ksock) Unbind(name string, as Role) error {
	if err := k.conn.Load().tell(wire.OpUnbind, uint32(as), name); err != nil {
		return err
	}
	k.remember(func(m *memory) {
		for i, b := range slices.Backward(m.bindings) {
			if b == (Binding{name, as}) {
				m.bindings = slices.Delete(m.bindings, i, i+1)
				return
			}
		}
	})
	return nil
}

// Replier is the Ksock bound as Replier to exactly that text, 0 if there is none (R3.31). A wildcard is only text here;
// Who tells who would get a message. ErrNameTooLong if the name is empty or too long.
func (k *Ksock) Replier(name string) (id uint32, err error) {
	return k.conn.Load().number(wire.OpReplier, 0, name)
}
