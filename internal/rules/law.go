package rules

import (
	"bytes"

	"kbus.example/kbus/message"
)

// Law is the rules that hold for one identity, found by name as bindings are: by their text, with d+2 looks for a name of d
// words, however many rules there are. The answer is that of going through all rules from the last to the first.
//
// Two patterns are never half in each other: one holds all names of the other, or they have none in common. And however
// many smaller patterns there are, they never make up all of a larger one, for there is always one more word. So whether
// all names of a pattern are allowed, or some are, needs no more than a look at the rules themselves.
type Law struct {
	set    *Set
	mine   []int32 // of the set, in order
	byText [message.Exact + 1]map[string]*last
	any    last              // of the rules without a name
	plain  [operations]int32 // of operations without a name
}

// last is the number, from 1, of the last rule with some text for each operation with a name; 0: there is none.
type last [named]int32

// mine gives the rules of a set that are about an identity, by their place.
func (s *Set) mine(who *Identity) (mine []int32) {
	for i := range s.Rules {
		if s.Rules[i].concerns(who) {
			mine = append(mine, int32(i))
		}
	}
	return mine
}

func newLaw(s *Set, mine []int32) *Law {
	l := &Law{set: s, mine: mine}
	for i := range l.byText {
		l.byText[i] = map[string]*last{}
	}
	for _, i := range mine {
		l.add(&s.Rules[i], i+1)
	}
	return l
}

func (l *Law) add(r *Rule, number int32) {
	for _, o := range r.Operations {
		if !o.HasName() {
			l.plain[o] = number
			continue
		}
		if len(r.Names) == 0 {
			l.any[o] = number
		}
		for _, n := range r.Names {
			class, text := key(n)
			of := l.byText[class][text]
			if of == nil {
				of = &last{}
				l.byText[class][text] = of
			}
			of[o] = number
		}
	}
}

// key is the class of a pattern and its text without the wildcard.
func key(pattern string) (message.Wildcard, string) {
	class := message.ClassOf(pattern)
	if class == message.Exact {
		return class, pattern
	}
	return class, pattern[:len(pattern)-1]
}

// covering finds the last rules whose pattern covers a text: of a name, or of a pattern.
func (l *Law) covering(text []byte) (found last) {
	found = l.any
	add := func(of *last) {
		if of != nil {
			for o, n := range of {
				found[o] = max(found[o], n)
			}
		}
	}
	class := message.ClassOf(text)
	prefix := text[:bytes.LastIndexByte(text, '.')+1]
	switch class {
	case message.Exact:
		add(l.byText[message.Exact][string(text)])
		add(l.byText[message.Percent][string(prefix)])
	case message.Percent:
		add(l.byText[message.Percent][string(prefix)])
	}
	for stars := l.byText[message.Star]; len(prefix) > 0; {
		add(stars[string(prefix)])
		prefix = prefix[:bytes.LastIndexByte(prefix[:len(prefix)-1], '.')+1]
	}
	return found
}

func (l *Law) rule(number int32) *Rule {
	if number == 0 {
		return nil
	}
	return &l.set.Rules[number-1]
}

func (l *Law) allows(number int32) bool { return number != 0 && l.set.Rules[number-1].Allow }

// permits is for operations without a name.
func (l *Law) permits(o Operation) bool { return l == nil || l.allows(l.plain[o]) }

func (l *Law) decision(number int32) Decision { return Decision{l.allows(number), l.rule(number)} }

// Decide answers a question. A pattern may be asked for with Listen, which asks whether any of its names is allowed, and with
// Reply, which asks whether all are. Names are valid.
func (l *Law) Decide(q Question) Decision { return l.decide(q, q.Operation == Listen) }

// DecideAll is Decide for who cannot pass messages by one at a time: all names of a pattern must be allowed, with Listen too.
func (l *Law) DecideAll(q Question) Decision { return l.decide(q, false) }

// decide: with some, some names of a pattern are enough.
func (l *Law) decide(q Question, some bool) Decision {
	if !q.Operation.HasName() {
		return l.decision(l.plain[q.Operation])
	}
	whole := l.covering([]byte(q.Name))[q.Operation]
	if message.ClassOf(q.Name) == message.Exact {
		return l.decision(whole)
	}
	// One that covers all of it decides, unless a later one makes an exception: if some names are enough one that allows, else one
	// that denies.
	if l.allows(whole) == some {
		return l.decision(whole)
	}
	for i := len(l.mine) - 1; i >= 0 && l.mine[i] >= whole; i-- {
		number := l.mine[i] + 1
		if l.allows(number) == some && l.isException(number, q) {
			return l.decision(number)
		}
	}
	return l.decision(whole)
}

// isException reports whether a rule decides about some names of a pattern.
func (l *Law) isException(number int32, q Question) bool {
	r := l.rule(number)
	if !r.about(q.Operation) {
		return false
	}
	for _, n := range r.Names {
		if message.Covers(q.Name, n) && l.covering([]byte(n))[q.Operation] == number {
			return true
		}
	}
	return false
}

// Decide is the decision for an identity.
func (s *Set) Decide(who *Identity, q Question) Decision { return newLaw(s, s.mine(who)).Decide(q) }
