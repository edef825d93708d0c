package model

import "kbus.example/kbus/message"

// Names whose Replier somebody can start, and the Requests that are held until there is one.

// Call is what the owner of the bus is bound: a Request is held for a name, and it is the only one; or the name has a Replier.
type Call struct {
	Name  string
	Bound bool
}

// starting is what a bus has for that.
type starting struct {
	startable []string
	held      []held // oldest first
	calls     []Call
	everHeld  []message.ID
}

type held struct {
	copied
	uid uint32
}

// SetStartable sets which names can be started, and fails what is held for others.
func SetStartable(b *Bus, names []string) {
	b.startable = names
	failHeld(b, func(name string) bool { return !contains(names, name) }, "its service is not configured any more")
}

// Calls are those since the last time.
func Calls(b *Bus) []Call {
	calls := b.calls
	b.calls = nil
	return calls
}

// Held is how many Requests are held for a name.
func Held(b *Bus, name string) (n int) {
	for _, h := range b.held {
		if h.Name == name {
			n++
		}
	}
	return n
}

// WasHeld says whether a message with that id has ever been held.
func WasHeld(b *Bus, id message.ID) bool { return contains(b.everHeld, id) }

// NotStarted gives each Request that is held for a name its Status.
func NotStarted(b *Bus, name, why string) {
	failHeld(b, func(n string) bool { return n == name }, why)
}

func failHeld(b *Bus, which func(name string) bool, why string) {
	for _, h := range clone(b.held) {
		if which(h.Name) {
			b.held = withoutHeld(b.held, h)
			answerWhy(b, message.NameNotStarted, why, 0, request{h.ID, h.From})
		}
	}
}

// mayHold says whether a Request that has no Replier is held: OK if so.
func mayHold(b *Bus, k *Ksock, m copied, l *bill) message.Condition {
	*l = append(*l, item{uid: k.uid, bytes: 64}) // for the open Request
	if !mayHoldMore(b, k.uid, m.Name) {
		if m.Flags.Has(message.AllOrWait) {
			return message.ErrPending
		}
		return message.ErrReplierFull
	}
	more := append(clone(*l), b.copy(*l, k.uid, m))
	if c := b.fits(more, k.uid); c != message.OK {
		if m.Flags.Has(message.AllOrWait) {
			return message.ErrPending
		}
		return c
	}
	*l = more
	return message.OK
}

// mayHoldMore says whether one more Request of a user may be held for a name: of all places a user has half of those that are not the
// others', and one at least, as long as there is one.
func mayHoldMore(b *Bus, uid uint32, name string) bool {
	all, own := or(b.config.MaxHeld, 100), 0
	for _, h := range b.held {
		if h.Name == name && h.uid == uid {
			own++
		}
	}
	left := all - (Held(b, name) - own) // by the others
	return own+1 <= left && own+1 <= max(1, left/2)
}

// hold holds a Request of k's.
func hold(b *Bus, k *Ksock, m copied) {
	if Held(b, m.Name) == 0 {
		b.calls = append(b.calls, Call{Name: m.Name})
	}
	m.Data = clone(m.Data)
	b.held = append(b.held, held{m, k.uid})
	b.everHeld = append(b.everHeld, m.ID)
}

// replierCame gives a Replier what is held for its names.
func replierCame(b *Bus, x *binding) {
	var bound []string
	if contains(b.startable, x.name) {
		bound = append(bound, x.name)
	}
	for _, h := range clone(b.held) {
		if !matches(x.name, h.Name) {
			continue
		}
		if !contains(bound, h.Name) {
			bound = append(bound, h.Name)
		}
		b.held = withoutHeld(b.held, h)
		m := h.copied
		m.Flags |= message.WantYouToReply
		m.to, m.via = x.ksock, x
		b.push(m)
	}
	for _, name := range bound {
		b.calls = append(b.calls, Call{name, true})
	}
}

func withoutHeld(all []held, h held) (rest []held) {
	for _, other := range all {
		if other.number != h.number {
			rest = append(rest, other)
		}
	}
	return rest
}
