package model

import "kbus.example/kbus/message"

// Standbys: who becomes the Replier of a name when the one before it goes.

// StandBy binds as Replier if there is none, and else as a standby. A Ksock is one or the other, once; a proxy has no standbys.
func StandBy(b *Bus, k *Ksock, name string) message.Condition {
	if c := checkBinding(k, name); c != message.OK {
		return c
	}
	r := b.replierOf(name)
	if r == nil {
		return b.Bind(k, name, true)
	}
	if r.ksock == k || r.of != (message.Origin{}) {
		return message.ErrReplierBound
	}
	for _, y := range b.bindings {
		if y.ksock == k && y.standby && y.name == name {
			return message.ErrReplierBound
		}
	}
	x := &binding{ksock: k, standby: true, name: name}
	if c := b.tooMany(x); c != message.OK {
		return c
	}
	b.bindings = append([]*binding{x}, b.bindings...)
	return message.OK
}

// promote makes the oldest standby of a name its Replier, as the newest binding.
func promote(b *Bus, name string, closing *Ksock) {
	var oldest *binding
	for _, y := range b.bindings {
		if y.standby && y.name == name {
			oldest = y
		}
	}
	if oldest == nil {
		return
	}
	b.removeBinding(oldest)
	oldest.standby, oldest.replier = false, true
	b.bindings = append([]*binding{oldest}, b.bindings...) // before the event, for its card is charged all the time
	if b.reportBinds == 1 {
		b.safeEvent(true, oldest, closing)
	}
}
