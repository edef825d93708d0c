package bus

import "kbus.example/kbus/message"

// On a bus with rules each Ksock has a Judge, who says what it may do. The bus asks where something is decided: when a Ksock
// binds, sends, or turns a switch, and for each Listener that a message would go to. A Listener that may not have a message
// is none for it: the message passes it by, and nothing that the bus tells the sender shows it. Replies and Statuses go to
// whom they are owed without being asked about.
//
// Which Listeners may have a name is remembered with them (see known), and forgotten when rules change. Without rules no
// Judge is asked.

// Judge says what one Ksock may do. Methods about a name are called on the way of messages. Where the answer is no it
// knows why until the next one.
type Judge interface {
	MaySend(name []byte) bool           // an Announcement
	MayAsk(name []byte) bool            // a Request
	MayListen(pattern string) bool      // bind it as Listener
	MayReply(pattern string) bool       // bind it as Replier
	MayAdminister() bool                // turn switches of the bus
	MayMakeBuses() bool                 // make buses
	Refused() string                    // why the last answer of these was no
	MayReceive(name []byte) bool        // as a Listener
	MayReachListeners(name []byte) bool // its Replies may go to Listeners too
	KeepsReplier(pattern string) bool   // as MayReply, for a binding that there is
	Administers() bool                  // as MayAdminister
}

// permission is who may do what: by the settings, and by rules.
type permission struct {
	administrators func(Owner) bool // nil: all are
	ruled          bool             // there are rules
	denier         Judge            // who has said no last
	bindHook       BindHook
}

// SetAdministrators sets which users may turn the switches of the whole bus. Without it all may.
func (p *permission) SetAdministrators(are func(Owner) bool) { p.administrators = are }

// isAdministrator is true for nil, which is the owner of the bus.
func (p *permission) isAdministrator(k *Ksock) bool {
	return k == nil || p.administrators == nil || p.administrators(k.owner)
}

// SetRuled says that there are rules, or no more, or that they have changed. All holds at once: a Replier that may no
// longer be one for its name loses it, to who stands by if there is somebody who may, and messages that wait for room are
// tried again. It gives the bindings that went.
func (b *Bus) SetRuled(ruled bool) (lost []BindingInfo) {
	b.ruled, b.denier = ruled, nil
	b.bindings.changes++ // what is known of names is not known any more
	b.wakes.allPending()
	if !ruled {
		return nil
	}
	var standbys, repliers []*binding
	for n := b.bindings.newest; n != nil; n = n.older {
		switch {
		case !n.replier && !n.standby, n.deposed, n.ksock.owner.mayKeep(n.name):
			continue
		case n.standby:
			standbys = append(standbys, n)
		default:
			repliers = append(repliers, n)
		}
		lost = append(lost, n.info())
	}
	for _, n := range standbys {
		b.unbind(n)
	}
	deposeAll(b, repliers)
	return lost
}

// depose takes a Replier's binding away against its will, and lets the next in line have the name. It gives how many bindings listen
// to that.
func depose(b *Bus, n *binding) (listeners int) {
	name := n.name
	if b.reportBinds {
		listeners = b.safeEvent(false, n, nil)
	}
	b.undo(n)
	if promote(b, name, nil); b.Replier(name) != 0 {
		listeners *= 2
	}
	return listeners
}

// gone is an owner to be remembered when its Ksock has closed.
func (o Owner) gone() Owner {
	o.Judge = nil
	return o
}

func (o *Owner) mayKeep(name string) bool { return o.Judge == nil || o.Judge.KeepsReplier(name) }

// judge is whom to ask about k; nil when nobody need be asked.
func (p *permission) judge(k *Ksock) Judge {
	if !p.ruled || k == nil {
		return nil
	}
	return k.owner.Judge
}

// deny is for an answer of a Judge.
func (p *permission) deny(j Judge, may bool) message.Condition {
	if may {
		return message.OK
	}
	p.denier = j
	return message.ErrDenied
}

// MayMakeBuses says whether rules let k make buses: OK or ErrDenied.
func (p *permission) MayMakeBuses(k *Ksock) message.Condition {
	if j := p.judge(k); j != nil {
		return p.deny(j, j.MayMakeBuses())
	}
	return message.OK
}

// maySend is for a message of k's. What is owed may always be sent; who else may have that is for bystanders to say.
func (p *permission) maySend(k *Ksock, h *message.Header, name []byte, to audience) message.Condition {
	j := p.judge(k)
	switch {
	case j == nil:
		return message.OK
	case h.IsRequest() && to == everybody:
		return p.deny(j, j.MayAsk(name))
	case h.IsReply() && to == everybody:
		return message.OK
	}
	return p.deny(j, j.MaySend(name))
}

// mayBind is for a binding that is to be made.
func (p *permission) mayBind(n *binding) message.Condition {
	j := p.judge(n.ksock)
	switch {
	case j == nil:
		return message.OK
	case n.replier, n.standby:
		return p.deny(j, j.MayReply(n.name))
	}
	return p.deny(j, j.MayListen(n.name))
}

// allowed takes those out of a list of Listeners that may not have a message of that name.
func (p *permission) allowed(listeners []*binding, name []byte) []*binding {
	if !p.ruled {
		return listeners
	}
	kept := listeners[:0]
	for _, l := range listeners {
		if j := l.ksock.owner.Judge; j == nil || j.MayReceive(name) {
			kept = append(kept, l)
		}
	}
	return kept
}

// onlyOwed reports whether a message may go to nobody but whom it is owed to: a Reply under a name that its sender may
// neither send nor reply to.
func (p *permission) onlyOwed(k *Ksock, h *message.Header, name []byte) bool {
	j := p.judge(k)
	return j != nil && h.IsReply() && !h.IsRequest() && !j.MayReachListeners(name)
}

// mayAdminister says whether k may turn switches of the bus: OK, ErrNotAdministrator or ErrDenied.
func (p *permission) mayAdminister(k *Ksock) message.Condition {
	if !p.isAdministrator(k) {
		return message.ErrNotAdministrator
	}
	if j := p.judge(k); j != nil {
		return p.deny(j, j.MayAdminister())
	}
	return message.OK
}

// administers is mayAdminister, where no is no refusal.
func (p *permission) administers(k *Ksock) bool {
	j := p.judge(k)
	return p.isAdministrator(k) && (j == nil || j.Administers())
}
