package loop

// To wake a client costs us a system call, and both of us more: on a busy processor it runs at once, takes the one message
// that there is, and sleeps again. With one recipient or a few that is what everybody wants. A message for a crowd would
// be followed by as many such wakes as it has recipients, and so would the next one.
//
// So a crowd is woken a few at a time, first come first served, and between them the loop goes on with its turns. What is
// said meanwhile to those who have not been woken yet is in their windows when they are, and costs no wake of its own. Who
// is in the crowd sees a message later by what the turns of the others took, which is less than all those wakes would take;
// who is not sees nothing of it, because turns with few recipients wake them as they always do.

// crowdBells is how many clients are woken at once. A turn with no more recipients than that wakes all of them.
const crowdBells = 8

// crowd is clients that have not been woken yet, oldest first.
type crowd struct{ line }

// join puts a client at the end, if it is not among them.
func (w *crowd) join(c *conn) {
	if !c.inCrowd {
		c.inCrowd = true
		w.push(c)
	}
}

// some is how many are woken now: more of a very large crowd, so that its last need not wait for hundreds of turns.
func (w *crowd) some() int { return max(crowdBells, w.len()/(2*crowdBells)) }

// wakeSome wakes the next of the crowd.
func (w *crowd) wakeSome(l *Loop, bells int) {
	for bells > 0 && w.len() > 0 {
		c := w.pop()
		c.inCrowd = false
		if !c.ended && l.nudge(c) {
			bells--
		}
	}
}

// wakeAll wakes all of it.
func (w *crowd) wakeAll(l *Loop) { w.wakeSome(l, w.len()) }
