package rules

import "encoding/binary"

// Judge answers for one Ksock, or one connection without a Ksock. Its zero value allows everything. It is owned by who owns
// the bus, and asking allocates nothing unless the answer is no.
type Judge struct {
	Who *Identity // for its owner: who is judged, if somebody has found that out; the Judge does not look

	law       *Law // nil: there are no rules
	onRefusal func(Refusal)

	name    []byte // asked for last
	answers [named]bool
	fresh   bool // answers are those of name

	refusal Refusal
}

// Refusal is a question that was answered with no.
type Refusal struct {
	Question
	Decision
}

// Position is where the rule stands; "none" when no rule allows it.
func (r Refusal) Position() string {
	if r.Rule == nil {
		return "none"
	}
	return r.Rule.Position.String()
}

// String says which rule it was.
func (r Refusal) String() string { return r.Decision.Why(r.Question) }

// Use has the judge go by a law from now on; nil: there are no rules. onRefusal is called for each refusal.
func (j *Judge) Use(l *Law, onRefusal func(Refusal)) {
	j.law, j.onRefusal, j.fresh = l, onRefusal, false
}

// Refused says why the last refusal was one.
func (j *Judge) Refused() string { return j.refusal.String() }

// may is the answer for the name of a message.
func (j *Judge) may(o Operation, name []byte) bool {
	if j.law == nil {
		return true
	}
	if !j.fresh || string(name) != string(j.name) {
		j.name = append(j.name[:0], name...)
		for o, number := range j.law.covering(name) {
			j.answers[o] = j.law.allows(number)
		}
		j.fresh = true
	}
	return j.answers[o]
}

// orRefuse notes a refusal.
func (j *Judge) orRefuse(may bool, o Operation, name string) bool {
	if !may {
		q := Question{o, name}
		j.refusal = Refusal{q, j.law.Decide(q)}
		if j.onRefusal != nil {
			j.onRefusal(j.refusal)
		}
	}
	return may
}

// MayReceive reports whether a message of that name may come to it. No is no refusal.
func (j *Judge) MayReceive(name []byte) bool { return j.may(Listen, name) }

// MayReachListeners reports whether its answer may go to Listeners, beside who asked. No is no refusal.
func (j *Judge) MayReachListeners(name []byte) bool { return j.may(Reply, name) || j.may(Send, name) }

// MaySend is for an Announcement.
func (j *Judge) MaySend(name []byte) bool {
	return j.may(Send, name) || j.orRefuse(false, Send, string(name))
}

// MayAsk is for a Request.
func (j *Judge) MayAsk(name []byte) bool {
	return j.may(Request, name) || j.orRefuse(false, Request, string(name))
}

// MayListen is for binding a pattern: some of its names may be heard.
func (j *Judge) MayListen(pattern string) bool { return j.mayBind(Listen, pattern) }

// MayReply is for binding a pattern as Replier: all of its names are allowed.
func (j *Judge) MayReply(pattern string) bool { return j.mayBind(Reply, pattern) }

func (j *Judge) mayBind(o Operation, pattern string) bool {
	return j.law == nil || j.orRefuse(j.law.Decide(Question{o, pattern}).Allow, o, pattern)
}

// KeepsReplier is MayReply for a binding that there is already. No is no refusal.
func (j *Judge) KeepsReplier(pattern string) bool {
	return j.law == nil || j.law.Decide(Question{Reply, pattern}).Allow
}

func (j *Judge) mayDo(o Operation) bool { return j.orRefuse(j.law.permits(o), o, "") }

// Administers is MayAdminister, and no is no refusal.
func (j *Judge) Administers() bool { return j.law.permits(Administer) }

// Taps is MayTap, for one that is a tap already. No is no refusal.
func (j *Judge) Taps() bool { return j.law.permits(Tap) }

// MayOpen and the following are for what has no name.
func (j *Judge) MayOpen() bool       { return j.mayDo(Open) }
func (j *Judge) MayTap() bool        { return j.mayDo(Tap) }
func (j *Judge) MayAdminister() bool { return j.mayDo(Administer) }
func (j *Judge) MayJoin() bool       { return j.mayDo(Limpet) }
func (j *Judge) MayMakeBuses() bool  { return j.mayDo(NewBus) }

// Laws are the laws of a set, one for each choice of rules that are about somebody. They belong to one bus.
type Laws struct {
	set   *Set
	known map[string]*Law
	key   []byte
}

// mostLaws bounds the memory; beyond it, laws are made anew.
const mostLaws = 200

// NewLaws is for a set of rules; nil, or one without rules, is no law.
func NewLaws(s *Set) *Laws { return &Laws{set: s, known: map[string]*Law{}} }

// None reports that there are no rules.
func (l *Laws) None() bool { return l == nil || l.set == nil || len(l.set.Rules) == 0 }

// For is the law for an identity; nil when there are no rules.
func (l *Laws) For(who *Identity) *Law {
	if l.None() {
		return nil
	}
	mine := l.set.mine(who)
	l.key = l.key[:0]
	for _, i := range mine {
		l.key = binary.LittleEndian.AppendUint32(l.key, uint32(i))
	}
	law := l.known[string(l.key)]
	if law == nil {
		if len(l.known) >= mostLaws {
			clear(l.known)
		}
		law = newLaw(l.set, mine)
		l.known[string(l.key)] = law
	}
	return law
}
