package trace

import "kbus.example/kbus/message"

// Sent is a message as the recording program made it, deliberate malformations included.
type Sent struct {
	Form      string    `json:"form"` // "entire" or "pointy"
	Name      latin1    `json:"name"`
	Flags     uint32    `json:"flags"`
	Data      generated `json:"data"`
	ID        [2]uint32 `json:"id"`
	InReplyTo [2]uint32 `json:"in_reply_to"`
	To        uint32    `json:"to"`
	From      uint32    `json:"from"`
	OrigFrom  [2]uint32 `json:"orig_from"`
	FinalTo   [2]uint32 `json:"final_to"`
	Extra     uint32    `json:"extra"`

	spoilt
}

// spoilt is what is wrong with a message on purpose.
type spoilt struct {
	StartGuard   *uint32 `json:"start_guard"`
	EndGuard     *uint32 `json:"end_guard"`
	FinalGuard   *uint32 `json:"final_guard"`
	NameLen      *uint32 `json:"name_len"`
	DataLen      *uint32 `json:"data_len"`
	ForceDataPtr truth   `json:"force_data_ptr"`
	DropDataPtr  truth   `json:"drop_data_ptr"`
}

// generated stands for data whose byte i is (First + 7*i) mod 256.
type generated struct {
	First int `json:"g"`
	Len   int `json:"len"`
	zeros int // behind them
}

func (g generated) bytes() []byte {
	b := make([]byte, g.Len+g.zeros)
	for i := range g.Len {
		b[i] = byte(g.First + 7*i)
	}
	return b
}

// truth is a flag, written as a boolean or a number.
type truth bool

// UnmarshalJSON takes everything for true that is not false, 0 or null.
func (t *truth) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "false", "0", "null":
		*t = false
	default:
		*t = true
	}
	return nil
}

const (
	headerBytes = 88
	startGuard  = 0x7375624B
	endGuard    = 0x4B627573
)

// wellFormed reports whether the message has no malformation that only its bytes can have.
func (s *Sent) wellFormed() bool {
	return s.StartGuard == nil && s.EndGuard == nil && s.FinalGuard == nil && s.NameLen == nil && s.DataLen == nil &&
		!bool(s.ForceDataPtr) && !bool(s.DropDataPtr)
}

// header is the message's header for a front end that takes whole messages.
func (s *Sent) header() *message.Header {
	return &message.Header{
		ID:        message.ID{Network: s.ID[0], Serial: s.ID[1]},
		InReplyTo: message.ID{Network: s.InReplyTo[0], Serial: s.InReplyTo[1]},
		To:        message.KsockID(s.To), From: message.KsockID(s.From),
		OrigFrom: message.Origin{Network: s.OrigFrom[0], Local: s.OrigFrom[1]},
		FinalTo:  message.Origin{Network: s.FinalTo[0], Local: s.FinalTo[1]},
		Extra:    s.Extra, Flags: message.Flags(s.Flags),
	}
}

// places puts what a message points at somewhere. What is put last is the last that can be read there.
type putter func(b []byte, last bool) (addr uint64)

// encode lays the message out (R2.1, R2.5). One that faults points at memory of which less can be read than its header says.
func (s *Sent) encode(put putter, faults bool) []byte {
	data := s.Data.bytes()
	var namePtr, dataPtr uint64
	if s.Form == "pointy" {
		namePtr, dataPtr = s.putAll(put, data, faults)
	}
	if s.ForceDataPtr && dataPtr == 0 {
		dataPtr = 8 // never followed: it is an error to have one at all
	}
	nameLen, dataLen := uint32(len(s.Name)), uint32(len(data))
	var b []byte
	for _, word := range []uint32{
		or(s.StartGuard, startGuard), s.ID[0], s.ID[1], s.InReplyTo[0], s.InReplyTo[1], s.To, s.From,
		s.OrigFrom[0], s.OrigFrom[1], s.FinalTo[0], s.FinalTo[1], s.Extra, s.Flags,
		or(s.NameLen, nameLen), or(s.DataLen, dataLen), 0,
	} {
		b = native.AppendUint32(b, word)
	}
	b = native.AppendUint64(b, namePtr)
	b = native.AppendUint64(b, dataPtr)
	b = native.AppendUint32(b, or(s.EndGuard, endGuard))
	b = native.AppendUint32(b, 0)
	if s.Form == "pointy" {
		return b
	}
	b = append(b, s.Name...)
	b = append(b, make([]byte, paddedName(nameLen)-nameLen)...)
	b = append(b, data...)
	b = append(b, make([]byte, paddedData(dataLen)-dataLen)...)
	return native.AppendUint32(b, or(s.FinalGuard, endGuard))
}

// putAll puts name and data where they can be read as far as the header says, the name's terminator too (R2.10). For
// a message that faults, the data cannot be read if their length is given as more than they have, and otherwise the
// name cannot.
func (s *Sent) putAll(put putter, data []byte, faults bool) (name, dataAt uint64) {
	nameLen, dataLen := or(s.NameLen, uint32(len(s.Name))), or(s.DataLen, uint32(len(data)))
	short := dataLen > uint32(len(data))
	switch {
	case faults && !short && !bool(s.ForceDataPtr):
		name = put(stretched(s.Name, min(nameLen, uint32(len(s.Name))+1)), true)
	default:
		name = put(stretched(s.Name, max(min(nameLen, message.MaxNameBytes), uint32(len(s.Name)))+1), false)
	}
	if len(data) == 0 || bool(s.DropDataPtr) {
		return name, 0
	}
	if short && !faults {
		data = append(data, make([]byte, min(dataLen, mostDataBytes)-uint32(len(data)))...)
	}
	return name, put(data, short && faults)
}

// mostDataBytes is more than any message may have: what a header says beyond that is refused for the header.
const mostDataBytes = 1 << 20

func paddedName(n uint32) uint32 { return 4 * ((n + 4) / 4) }
func paddedData(n uint32) uint32 { return 4 * ((n + 3) / 4) }

func or(override *uint32, value uint32) uint32 {
	if override != nil {
		return *override
	}
	return value
}

// pieces cuts b as the recording program did: pieces of the given lengths, then the rest.
func pieces(b []byte, lengths []int) [][]byte {
	var all [][]byte
	for _, n := range lengths {
		n = min(n, len(b))
		if n == 0 {
			continue
		}
		all, b = append(all, b[:n]), b[n:]
	}
	if len(b) > 0 || len(all) == 0 {
		all = append(all, b)
	}
	return all
}
