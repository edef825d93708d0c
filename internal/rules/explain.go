package rules

import "kbus.example/kbus/message"

// Explaining a decision: which rule made it, which other rules were beaten, and which would have mattered had somebody else
// asked. It is for people, so it takes its time and looks at each rule.

// Explanation is a decision and the rules around it, last first.
type Explanation struct {
	Question
	Decision
	Beaten []*Rule // matched as well, and a later one has decided
	Others []Other // are about the same, and somebody else
}

// Other is a rule that does not match who asks.
type Other struct {
	*Rule
	Because string // what does not: "user", "group", "program" or "unit"
}

// Explain answers a question and says why.
func (s *Set) Explain(who *Identity, q Question) Explanation {
	e := Explanation{Question: q, Decision: s.Decide(who, q)}
	for i := len(s.Rules) - 1; i >= 0; i-- {
		r := &s.Rules[i]
		switch {
		case r == e.Rule || !r.about(q.Operation) || !r.touches(q):
		case r.concerns(who):
			if e.Rule != nil && i < s.position(e.Rule) {
				e.Beaten = append(e.Beaten, r)
			}
		default:
			e.Others = append(e.Others, Other{r, r.because(who)})
		}
	}
	return e
}

func (s *Set) position(of *Rule) int {
	for i := range s.Rules {
		if &s.Rules[i] == of {
			return i
		}
	}
	return -1
}

// touches reports whether a rule is about some of the names that are asked for.
func (r *Rule) touches(q Question) bool {
	if !q.Operation.HasName() || len(r.Names) == 0 {
		return true
	}
	for _, n := range r.Names {
		if message.Covers(n, q.Name) || message.Covers(q.Name, n) {
			return true
		}
	}
	return false
}

// because says which condition does not hold.
func (r *Rule) because(who *Identity) string {
	unmet := func(m match) bool { return m == no || m == unknown && r.Allow }
	switch {
	case unmet(isIn(r.Users, who.UID)):
		return "user"
	case unmet(r.group(who)):
		return "group"
	case unmet(r.program(who)):
		return "program"
	}
	return "unit"
}
