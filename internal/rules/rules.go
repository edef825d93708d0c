// Package rules decides who may do what on a bus. Rules stand in an order, and the last one that matches decides; when there
// are rules and none matches, the answer is no. The package is a function of its inputs: who asks, what, and for which name.
//
// The files: rules.go is what a rule says, identity.go whom it is about, law.go are the rules that hold for one identity,
// indexed by name, and judge.go is what a bus asks for each Ksock. Package folder reads rules from files.
package rules

import (
	"fmt"
	"strings"
)

// Operation is what a rule allows or denies.
type Operation uint8

// The operations. The first four are about a name, the others are not.
const (
	Send       Operation = iota // an Announcement
	Listen                      // to be a Listener, and to hear a message of that name
	Request                     // to send a Request
	Reply                       // to be the Replier
	Open                        // to connect at all
	Tap                         // to see what the bus does; of messages, those that the user may listen to
	Administer                  // to turn the switches of the whole bus
	Limpet                      // to join the bus to others
	NewBus                      // to make buses
	operations

	named = Open // operations below it have a name
)

var operationWords = [operations]string{"send", "listen", "request", "reply", "open", "tap", "administer", "limpet", "new-bus"}

// String is the word in a rule.
func (o Operation) String() string { return operationWords[o] }

// HasName reports whether the operation is about a name.
func (o Operation) HasName() bool { return o < named }

// Operations lists all words.
func Operations() []string { return operationWords[:] }

// OperationBy gives the operation of a word.
func OperationBy(word string) (o Operation, ok bool) {
	for i, w := range operationWords {
		if w == word {
			return Operation(i), true
		}
	}
	return 0, false
}

// Rule is one rule. An empty list is no condition: any name, everybody.
type Rule struct {
	Allow      bool // else deny
	Operations []Operation
	Names      []string // patterns as in bindings
	Users      []uint32
	Groups     []uint32
	Programs   []string // paths
	Units      []string // of systemd, or paths of control groups
	Written    string   // as it is written, on one line, for people; "": String makes it of the rest
	Position   Position
}

// Position is where a rule stands.
type Position struct {
	File         string
	Line, Column int
}

// String is file:line.
func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// about reports whether a rule speaks of an operation.
func (r *Rule) about(o Operation) bool {
	for _, other := range r.Operations {
		if other == o {
			return true
		}
	}
	return false
}

// verb is what it does.
func (r *Rule) verb() string {
	if r.Allow {
		return "allows"
	}
	return "denies"
}

// Set is all rules, in their order. It is never changed once it is in use.
type Set struct{ Rules []Rule }

// Decision is the answer to one question: the rule that decided, or nil when none matched.
type Decision struct {
	Allow bool
	Rule  *Rule
}

// Question is what somebody wants to do. The name is empty for operations that have none.
type Question struct {
	Operation Operation
	Name      string
}

// String is in the words of a sentence, for instance "bind $.Door.Lock as Replier".
func (q Question) String() string {
	switch q.Operation {
	case Send:
		return "send " + q.Name
	case Listen:
		return "listen to " + q.Name
	case Request:
		return "send the Request " + q.Name
	case Reply:
		return "bind " + q.Name + " as Replier"
	case Open:
		return "open a Ksock"
	case Tap:
		return "tap the bus"
	case Administer:
		return "administer the bus"
	case Limpet:
		return "be a Limpet"
	}
	return "make a bus"
}

// Why says in one line which rule made a decision.
func (d Decision) Why(q Question) string {
	if d.Rule == nil {
		return fmt.Sprintf("no rule allows to %v, and with rules what none allows is denied", q)
	}
	return fmt.Sprintf("rule %v %s to %v", d.Rule.Position, d.Rule.verb(), q)
}

// String is the rule on one line, as it could stand in a file.
func (r *Rule) String() string {
	if r.Written != "" {
		return r.Written
	}
	var b strings.Builder
	key := "deny"
	if r.Allow {
		key = "allow"
	}
	words := make([]string, len(r.Operations))
	for i, o := range r.Operations {
		words[i] = o.String()
	}
	list(&b, key, words)
	list(&b, "name", r.Names)
	list(&b, "user", texts(r.Users))
	list(&b, "group", texts(r.Groups))
	list(&b, "program", r.Programs)
	list(&b, "unit", r.Units)
	return b.String()
}

func list(b *strings.Builder, key string, words []string) {
	if len(words) == 0 {
		return
	}
	if b.Len() > 0 {
		b.WriteString("; ")
	}
	b.WriteString(key + " " + strings.Join(words, ", "))
}

func texts(numbers []uint32) []string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = fmt.Sprint(n)
	}
	return words
}
