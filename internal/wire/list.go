package wire

// List and Who report Ksocks, one entry each. An entry begins with its own length and that of the program name at its
// end, so later versions can put more numbers before the name and a reader of today still finds its way.

// Party is a Ksock and the process behind it.
type Party struct {
	Ksock   uint32 // id; 0 for none
	PID     uint32
	UID     uint32
	Program string // name of the program, at most MaxProgramBytes of it
}

// MaxProgramBytes is how much of a program's name is reported.
const MaxProgramBytes = 255

// KsockEntry is what List tells of a Ksock.
type KsockEntry struct {
	Party
	Mode            uint32 // ModeRead, ModeWrite
	Queued          uint32 // messages in the queue
	MaxMessages     uint32 // limit of the queue
	Outstanding     uint32 // Requests that it waits to be answered
	OutstandingMost uint32 // as many as there ever were
	Unreplied       uint32 // Requests that it has read and must answer
	UnrepliedMost   uint32 // as many as there ever were
	SetAside        uint32 // replier bind events set aside for it
	OnlyOnce        uint32 // 0 or 1
	Sending         uint32 // 1 while a message of it waits for room
	LastNetwork     uint32 // id of the message last sent
	LastSerial      uint32
	Bindings        uint32 // how many, as Replier and as Listener together
	Waiting         uint32 // requests of its client that wait to be answered
	UnsentBytes     uint32 // of results that its client has not taken from the socket yet
	Missed          uint32 // messages that it did not get because its queue was full, modulo 2^32
	MissedHigh      uint32 // the same, divided by 2^32
	Original        uint32 // 1 for an original Ksock (F50)
	Strict          uint32 // 1 when its full queue makes Binds of others fail (F42)
}

func (k *KsockEntry) numbers() [22]*uint32 {
	return [...]*uint32{
		&k.Ksock, &k.PID, &k.UID, &k.Mode, &k.Queued, &k.MaxMessages, &k.Outstanding, &k.OutstandingMost, &k.Unreplied,
		&k.UnrepliedMost, &k.SetAside, &k.OnlyOnce, &k.Sending, &k.LastNetwork, &k.LastSerial, &k.Bindings, &k.Waiting,
		&k.UnsentBytes, &k.Missed, &k.MissedHigh, &k.Original, &k.Strict,
	}
}

func (p *Party) numbers() [3]*uint32 { return [...]*uint32{&p.Ksock, &p.PID, &p.UID} }

// AppendKsockEntry appends one entry of a List.
func AppendKsockEntry(b []byte, k KsockEntry) []byte {
	numbers := k.numbers()
	return appendEntry(b, numbers[:], k.Program)
}

// ParseList reads the payload of a List. It reports false when it is not one.
func ParseList(b []byte) (list []KsockEntry, ok bool) {
	for len(b) > 0 {
		var k KsockEntry
		numbers := k.numbers()
		if k.Program, b, ok = parseEntry(b, numbers[:]); !ok {
			return nil, false
		}
		list = append(list, k)
	}
	return list, true
}

// AppendParty appends one entry of a Who: first the Replier, the zero Party if there is none, then one for each
// Listener binding.
func AppendParty(b []byte, p Party) []byte {
	numbers := p.numbers()
	return appendEntry(b, numbers[:], p.Program)
}

// ParseWho reads the payload of a Who. replier.Ksock is 0 when there is none. It reports false when it is not one.
func ParseWho(b []byte) (replier Party, listeners []Party, ok bool) {
	for first := true; first || len(b) > 0; first = false {
		var p Party
		numbers := p.numbers()
		if p.Program, b, ok = parseEntry(b, numbers[:]); !ok {
			return Party{}, nil, false
		}
		if first {
			replier = p
		} else {
			listeners = append(listeners, p)
		}
	}
	return replier, listeners, true
}

const (
	entryHeadBytes = 4
	leastNumbers   = 18 // of a List, as they have been from the beginning
)

func appendEntry(b []byte, numbers []*uint32, program string) []byte {
	program = program[:min(len(program), MaxProgramBytes)]
	b = le.AppendUint16(b, uint16(entryHeadBytes+4*len(numbers)+len(program)))
	b = le.AppendUint16(b, uint16(len(program)))
	for _, n := range numbers {
		b = le.AppendUint32(b, *n)
	}
	return append(b, program...)
}

func parseEntry(b []byte, numbers []*uint32) (program string, rest []byte, ok bool) {
	if len(b) < entryHeadBytes {
		return "", nil, false
	}
	entry, name := int(le.Uint16(b)), int(le.Uint16(b[2:]))
	if entry > len(b) || entry < entryHeadBytes+4*min(len(numbers), leastNumbers)+name {
		return "", nil, false
	}
	there := (entry - entryHeadBytes - name) / 4 // an older server tells fewer
	for i, n := range numbers[:min(there, len(numbers))] {
		*n = le.Uint32(b[entryHeadBytes+4*i:])
	}
	return string(b[entry-name : entry]), b[entry:], true
}
