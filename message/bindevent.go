package message

// BindEvent is the data of a `$.KBUS.ReplierBindEvent`, with which the bus announces that a name has got a Replier or lost
// it.
type BindEvent struct {
	Bind   bool    // bound, or unbound
	Binder KsockID // the Replier's Ksock id
	Name   string  // may have a wildcard
}

// AppendBindEvent appends the event as message data: is_bind, binder, name length, then the name, zero-terminated and
// padded to whole words. Host byte order.
func AppendBindEvent(b []byte, e BindEvent) []byte {
	isBind := uint32(0)
	if e.Bind {
		isBind = 1
	}
	b = native.AppendUint32(b, isBind)
	b = native.AppendUint32(b, uint32(e.Binder))
	b = native.AppendUint32(b, uint32(len(e.Name)))
	b = append(b, e.Name...)
	pad := PaddedName(uint32(len(e.Name))) - uint64(len(e.Name))
	return append(b, make([]byte, pad)...)
}

// BindEventBytes is how long the data of a bind event is, for a name of so many bytes.
func BindEventBytes(name int) int { return 12 + int(PaddedName(uint32(name))) }

// ParseBindEvent reads the data of a bind event. It reports false when the lengths do not fit: any program may send a
// message of that name.
func ParseBindEvent(data []byte) (BindEvent, bool) {
	if len(data) < 12 {
		return BindEvent{}, false
	}
	n := native.Uint32(data[8:])
	if n > MaxNameBytes || uint64(len(data)-12) < uint64(n) {
		return BindEvent{}, false
	}
	return BindEvent{
		Bind:   native.Uint32(data) != 0,
		Binder: KsockID(native.Uint32(data[4:])),
		Name:   string(data[12 : 12+n]),
	}, true
}
