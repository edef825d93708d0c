package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kbus.example/kbus/message"
)

// WithoutPointers is the same trace for a front end that has no memory to point to: every pointy message is written in
// the entire form instead, with as much of its name and its data as its header says. Three things that can be seen of it
// change with it, and are changed in the outcomes: what is wrong with its name, or with the memory where that is, is found
// by write rather than by SEND (R2.14), which then has nothing to send; what is written behind a message that was refused so
// would begin another, and is left out; and the stats report shows a waiting message at its end rather than at its name (R8.7),
// and nothing of one that was refused.
func (t *Trace) WithoutPointers() *Trace {
	out := *t
	out.Ops = make([]Op, len(t.Ops))
	refused := map[int]bool{} // by handle: the message written last was refused, for what is found by SEND otherwise
	for i, op := range t.Ops {
		op.Out = maps.Clone(op.Out)
		switch op.Name {
		case "procstats":
			text, _ := op.Out["text"].(string)
			op.Out["text"] = t.statsWithoutPointers(text, refused)
		case "send":
			if refused[op.Handle] {
				op.Out = outcome{"err": "ENOMSG"}
				refused[op.Handle] = false
			}
		case "discard":
			refused[op.Handle] = false
		case "write", "write_raw", "sendmsg":
			switch {
			case refused[op.Handle]:
				refused[op.Handle] = op.Out["err"] == nil && op.Out["write"] == nil // bytes there were none of
				op.Name, op.Out = "discard", outcome{}
			case op.Name != "write_raw" && op.Message.Form == "pointy":
				op.Message, op.Out, refused[op.Handle] = op.entire()
			}
		}
		out.Ops[i] = op
	}
	return &out
}

// statsWithoutPointers shows a pointy message at its end, or not at all when it was refused.
func (t *Trace) statsWithoutPointers(text string, refused map[int]bool) string {
	const pointy, entire, nothing = "of NAME (finished)", "of FINAL (finished)", "of HDR (not finished)"
	devices := strings.SplitAfter(text, "\ndev ")
	for _, op := range t.Ops {
		if op.Name != "open" || !refused[op.Handle] {
			continue
		}
		id, _ := op.Out["ksock"].(float64)
		heading := fmt.Sprintf("    ksock %.0f ", id)
		if before, its, found := strings.Cut(devices[op.Device], heading); found {
			devices[op.Device] = before + heading + strings.Replace(its, pointy, nothing, 1)
		}
	}
	return strings.ReplaceAll(strings.Join(devices, ""), pointy, entire)
}

// entire is the message of op in the other form, with the outcome of writing it so.
func (op *Op) entire() (e *Sent, out outcome, refused bool) {
	s := op.Message
	if !s.wellFormed() && (op.Out["err"] != nil || op.Out["write"] != nil) {
		return s, op.Out, false // refused for its header in either form
	}
	e = s.inOnePiece()
	if op.faults {
		e.Name[len(e.Name)-1] = 0 // memory that cannot be read has nothing like it elsewhere but what is refused as well
	}
	if message.CheckOriginalName(e.Name) != message.ErrBadName {
		return e, op.Out, false
	}
	switch {
	case op.Name == "write" && op.Out["err"] == nil:
		return e, outcome{"err": "EBADMSG"}, true
	case op.Name == "sendmsg" && (op.Out["send"] == "EBADMSG" || op.Out["send"] == "EFAULT"):
		return e, outcome{"write": "EBADMSG"}, false
	}
	return e, op.Out, false
}

// inOnePiece is a pointy message with a good header as what the bus reads through that: name and data as long as it says, with
// zeros where the recording program had put nothing.
func (s *Sent) inOnePiece() *Sent {
	e := *s
	e.Form, e.Name = "entire", slices.Clone(s.Name)
	if s.NameLen != nil {
		e.Name = stretched(s.Name, *s.NameLen)
	}
	if s.DataLen != nil {
		e.Data.Len = min(s.Data.Len, int(*s.DataLen))
		e.Data.zeros = int(*s.DataLen) - e.Data.Len
	}
	e.StartGuard, e.EndGuard, e.FinalGuard, e.NameLen, e.DataLen = nil, nil, nil, nil, nil
	e.ForceDataPtr, e.DropDataPtr = false, false
	return &e
}

// stretched is b as if it had n bytes, with zeros for those that it has not.
func stretched(b []byte, n uint32) []byte {
	out := make([]byte, n)
	copy(out, b)
	return out
}

// noteFaults finds the messages that point at what cannot be read: SEND, which is when it is read, gives EFAULT.
func (t *Trace) noteFaults() {
	written := map[int]*Op{} // by handle: the message that a SEND would send
	for i := range t.Ops {
		op := &t.Ops[i]
		switch op.Name {
		case "write":
			written[op.Handle] = op
		case "sendmsg":
			op.faults = op.Out["send"] == "EFAULT"
			delete(written, op.Handle)
		case "send":
			if w := written[op.Handle]; w != nil {
				w.faults = op.Out["err"] == "EFAULT"
			}
			delete(written, op.Handle)
		case "discard":
			delete(written, op.Handle)
		}
	}
}
