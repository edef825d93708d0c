package trace

import (
	"maps"
	"strings"

	"kbus/message"
)

// WithoutPointers is the same trace for a front end that has no memory to point to: every pointy message is written in
// the entire form instead. Three things that can be seen of it change with it, and are changed in the outcomes: a
// bad name is found by write rather than by SEND (R2.14), which then has nothing to send, and the stats report shows a
// waiting message at its end rather than at its name (R8.7).
func (t *Trace) WithoutPointers() *Trace {
	out := *t
	out.Ops = make([]Op, len(t.Ops))
	refused := map[int]bool{} // by handle: the message written last was refused for its name
	for i, op := range t.Ops {
		op.Out = maps.Clone(op.Out)
		switch op.Name {
		case "procstats":
			text, _ := op.Out["text"].(string)
			op.Out["text"] = strings.ReplaceAll(text, "of NAME (finished)", "of FINAL (finished)")
		case "send":
			if refused[op.Handle] {
				op.Out = outcome{"err": "ENOMSG"}
				refused[op.Handle] = false
			}
		case "discard":
			refused[op.Handle] = false
		case "write", "sendmsg":
			if op.Message.Form == "pointy" {
				op.Message, op.Out, refused[op.Handle] = op.Message.entire(op.Name, op.Out)
			}
		}
		out.Ops[i] = op
	}
	return &out
}

// entire is the message in the other form, with the outcome of writing it so.
func (s *Sent) entire(op string, o outcome) (e *Sent, out outcome, refused bool) {
	e = new(Sent)
	*e = *s
	if !s.wellFormed() {
		return s, o, false // refused for its header in either form
	}
	e.Form = "entire"
	if message.CheckName(s.Name) != message.ErrBadName {
		return e, o, false
	}
	switch {
	case op == "write" && o["err"] == nil:
		return e, outcome{"err": "EBADMSG"}, true
	case op == "sendmsg" && o["send"] == "EBADMSG":
		return e, outcome{"write": "EBADMSG"}, false
	}
	return e, o, false
}
