package loop

// A burst of messages does not stay in memory when it is over. While messages come the garbage collector sees to that as
// it goes; but a bus that is idle allocates nothing, so nothing would make it run. So a loop that has nothing to do, and
// has let go of much since, has the memory given back to the system. It does not wait for that.

// muchLeft is how many bytes are worth it.
const muchLeft = 8 << 20

// giveBack has memory given back, if it is worth it.
func (l *Loop) giveBack() {
	if l.bus.Left(muchLeft) > 0 {
		l.host.GiveBack()
	}
}
