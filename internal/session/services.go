package session

import "kbus.example/kbus/internal/wire"

// ServiceHost is a host that knows services; one that does not has none.
type ServiceHost interface {
	// Services tells of those of a bus all but who is the Replier, and what is held.
	Services(bus uint32) []wire.Service
}

// stepsPerService is what it is, as work (see bus.Work), to be told of a name, before anything is said of it.
const stepsPerService = 8

// services reports the names that can be started.
func services(s *Session, h wire.Header, _ []byte) {
	var list []wire.Service
	if host, ok := s.engine.host.(ServiceHost); ok {
		list = host.Services(s.engine.number)
		s.engine.bus.Work(len(list) * stepsPerService)
	}
	r := &report{h: h, end: func() {}}
	r.next = func() bool {
		if int(r.parts) == len(list) {
			return false
		}
		one, b := &list[r.parts], s.engine.bus
		if replier, _ := b.Who(one.Name); replier != nil {
			one.Replier, one.ReplierPID = uint32(replier.ID()), replier.Owner().PID
		}
		one.Held = b.Held(one.Name)
		r.buf = wire.AppendService(r.buf, one)
		return true
	}
	s.begins(r)
}
