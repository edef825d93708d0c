package trace

// Retold is the same trace with the outcomes that another system gives, for front ends that may differ from the
// recording program in a way that only such a system can foretell. meant is called for each outcome that has changed,
// in order and right after it happened: false means that the difference must not be, and the outcome stays as it was
// recorded.
func (t *Trace) Retold(start Start, meant func() bool) (retold *Trace, changed int) {
	out := *t
	out.Ops = make([]Op, len(t.Ops))
	r := replay{system: start(t.Config), handles: map[int]*handle{}}
	defer r.system.End()
	for i, op := range t.Ops {
		if got := r.perform(&op).canonical(); !got.equal(op.Out) && meant() {
			op.Out = got
			changed++
		}
		out.Ops[i] = op
	}
	out.noteFaults()
	return &out, changed
}
