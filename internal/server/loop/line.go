package loop

// line is connections that wait for something, oldest first. However long some of them always wait, it takes no more memory than
// twice what they need.
type line struct {
	conns []*conn // those from first on
	first int
}

func (w *line) len() int { return len(w.conns) - w.first }

func (w *line) push(c *conn) { w.conns = append(w.conns, c) }

func (w *line) pop() *conn {
	c := w.conns[w.first]
	w.conns[w.first] = nil
	if w.first++; w.len() <= w.first {
		n := copy(w.conns, w.conns[w.first:])
		clear(w.conns[n:])
		w.conns, w.first = w.conns[:n], 0
	}
	return c
}
