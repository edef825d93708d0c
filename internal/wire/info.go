package wire

// Info is the figures of the whole bus: a count of numbers, then the numbers. A later version may have more of them; a
// reader takes those it knows.

// Info is what an Info tells.
type Info struct {
	Bus                uint32 // number of the bus
	NextKsock          uint32 // id of the next Ksock, 0 until the first (R8.4)
	NextSerial         uint32 // serial number of the next message, 0 until the first
	Ksocks             uint32 // open
	Connections        uint32 // clients that have said Hello, with observers
	Bindings           uint32 // as Replier and as Listener together
	Repliers           uint32 // bindings as Replier
	Queued             uint32 // messages in all queues
	Outstanding        uint32 // Requests not answered yet
	Sending            uint32 // Ksocks with a message that waits for room
	SetAside           uint32 // replier bind events set aside
	Tragic             uint32 // 1 when so many were set aside that some were lost (R6.21)
	Verbose            uint32 // 0 or 1 (R3.78)
	ReportReplierBinds uint32 // 0 or 1 (R3.83)
	MaxMessageBytes    uint32 // now (R3.86)
	AbsMaxMessageBytes uint32 // at most
	Stopping           uint32 // 1 when the bus is ending
}

func (i *Info) numbers() [17]*uint32 {
	return [...]*uint32{
		&i.Bus, &i.NextKsock, &i.NextSerial, &i.Ksocks, &i.Connections, &i.Bindings, &i.Repliers, &i.Queued,
		&i.Outstanding, &i.Sending, &i.SetAside, &i.Tragic, &i.Verbose, &i.ReportReplierBinds, &i.MaxMessageBytes,
		&i.AbsMaxMessageBytes, &i.Stopping,
	}
}

// AppendInfo appends the payload of an Info.
func AppendInfo(b []byte, i Info) []byte {
	numbers := i.numbers()
	b = le.AppendUint32(b, uint32(len(numbers)))
	for _, n := range numbers {
		b = le.AppendUint32(b, *n)
	}
	return b
}

// ParseInfo reads the payload of an Info. It reports false when it is not one.
func ParseInfo(b []byte) (i Info, ok bool) {
	numbers := i.numbers()
	if len(b) < 4+4*len(numbers) || uint64(len(b)-4) != 4*uint64(le.Uint32(b)) {
		return Info{}, false
	}
	for n, p := range numbers {
		*p = le.Uint32(b[4+4*n:])
	}
	return i, true
}
