package trace

// WithoutEmptyWrites is the same trace for a front end that never hears of a write of no bytes, because whatever lies
// between it and the program leaves that out. Two things change with it: such a write succeeds while a message waits for
// room, too, and it does not begin a message (R3.58), so that a SEND after nothing else has nothing to send.
func (t *Trace) WithoutEmptyWrites() *Trace {
	out := *t
	out.Ops = make([]Op, len(t.Ops))
	begun := map[int]bool{} // by handle: of the message being written there is no more than such a write
	for i, op := range t.Ops {
		switch {
		case op.Name == "write_raw" && op.Hex == "":
			if op.Out["err"] == "EBADF" { // the mode is checked before
				break
			}
			op.Out = outcome{"n": 0}.canonical()
			if _, writing := begun[op.Handle]; !writing {
				begun[op.Handle] = true
			}
		case op.Name == "write_raw", op.Name == "write":
			if begun[op.Handle] = false; op.Out["err"] != nil {
				delete(begun, op.Handle)
			}
		case op.Name == "send" && begun[op.Handle] && op.Out["err"] == "EINVAL":
			op.Out = outcome{"err": "ENOMSG"}
			fallthrough
		case op.Name == "send", op.Name == "sendmsg", op.Name == "discard":
			delete(begun, op.Handle)
		}
		out.Ops[i] = op
	}
	return &out
}
