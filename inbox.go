package kbus

import "slices"

// inbox is messages that have come and that nobody has received yet, oldest first.
type inbox struct{ list []*Message }

func (i *inbox) push(m *Message) { i.list = append(i.list, m) }

// pop gives nil when there is none.
func (i *inbox) pop() *Message {
	if len(i.list) == 0 {
		return nil
	}
	m := i.list[0]
	i.list[0] = nil
	if i.list = i.list[1:]; len(i.list) == 0 {
		i.list = nil
	}
	return m
}

// putBack undoes a pop.
func (i *inbox) putBack(m *Message) { i.list = slices.Insert(i.list, 0, m) }

// popReply gives the answer to one Request.
func (i *inbox) popReply(us uint32, request ID) *Message {
	at := slices.IndexFunc(i.list, func(m *Message) bool { return m.To == us && m.InReplyTo == request })
	if at < 0 {
		return nil
	}
	m := i.list[at]
	i.list = slices.Delete(i.list, at, at+1)
	return m
}

// names holds the names seen lately, so that receiving makes a string only of a new one.
type names struct{ known map[string]string }

const namesKept = 256

// of gives name as a string; old is the string it is going to replace.
func (n *names) of(name []byte, old string) string {
	if string(name) == old {
		return old
	}
	if s, ok := n.known[string(name)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= namesKept {
		n.known = map[string]string{}
	}
	s := string(name)
	n.known[s] = s
	return s
}
