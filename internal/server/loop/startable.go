package loop

// Names whose Replier the host can start: what the bus calls for goes to the host before any result of that turn goes to a
// client, so the host hears of a Replier before that can do anything about it, such as end.

// passCalls tells the host what its bus calls for.
func passCalls(l *Loop) {
	if calls := l.bus.Calls(); len(calls) > 0 {
		l.host.Called(l.number, calls)
	}
}

// NotStarted says why a name has no Replier. It may be called by anybody.
func NotStarted(l *Loop, name, why string) {
	l.Post(func() {
		l.bus.NotStarted(name, why)
		l.bus.Worked() // which is no work of the client whose turn comes next
		l.wakeOthers()
	})
}

// SetStartable sets which names can be started. It is called on the loop.
func SetStartable(l *Loop, names []string) {
	l.bus.SetStartable(names)
	l.bus.Worked()
	l.wakeOthers()
}
