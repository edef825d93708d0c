package bus

import "kbus.example/kbus/message"

// What a bus does for a Limpet that joins it to others, and no more: it holds a Bind as Replier back until the Limpet
// knows that no other bus has the name, takes away a binding that has lost its right to the name, and delivers to
// Listeners only what has its Replier elsewhere.

// BindHook decides about a Ksock that wants to become a Replier, or the proxy of one elsewhere. If done is true the Bind
// ends in c; otherwise it goes on. BindHook must not change the bus.
type BindHook func(k *Ksock, name string, of message.Origin) (c message.Condition, done bool)

// SetBindHook puts a hook before Bind; nil takes it away.
func (p *permission) SetBindHook(g BindHook) { p.bindHook = g }

// Evict takes a replier binding away from k against its will. It is Unbind, except that it cannot fail for a Listener
// to bind events that has no room: then the event is set aside as when k closes (R6.20). Those who stand by lose their
// bindings with it. ErrNotBound if there is no such binding.
func (b *Bus) Evict(k *Ksock, name string) message.Condition {
	n := b.find(k, name, true)
	if n == nil || n.standby {
		return message.ErrNotBound
	}
	if b.reportBinds {
		b.safeEvent(false, n, nil)
	}
	b.undo(n)
	dismiss(b, name)
	return message.OK
}

// SendToListeners is Send for a copy of a message of another bus (B24). Whatever the message is, it goes to Listeners
// only. A Request needs no Replier, and no Ksock owes an answer; a Reply has no addressee, for its To is the number of
// a Ksock elsewhere, and becomes 0 here.
func (b *Bus) SendToListeners(k *Ksock, h *message.Header, name, data, trace []byte) Outcome {
	head := *h
	head.To = 0
	return sendAs(b, k, &head, name, data, &manner{listenersOnly, trace})
}

// Open reports whether the Ksock is still open.
func (k *Ksock) Open() bool { return k.open }

// Ksock finds an open Ksock by its id, or nil.
func (b *Bus) Ksock(id message.KsockID) *Ksock { return b.ksocks[id] }
