// Package envelope is what members send to each other, as bytes: the header `Kb`, then the name, then the data, then the trace context if
// the message has one. The header
// is that of the pair protocol, 64 bytes, and 40 more that a federation needs: the member that sends it, in which epoch,
// the kind of envelope, a count, and which member and epoch it is meant for. All numbers are big-endian.
//
// It is pure. What comes from a network is not to be trusted, so every length is held against what there is.
package envelope

import (
	"encoding/binary"
	"fmt"

	"kbus.example/kbus/limpet/wire"
	"kbus.example/kbus/message"
)

// HeaderBytes is the length of the header `Kb`.
const HeaderBytes = wire.HeaderBytes + 40

// version is the last word of the header. Another version is refused.
const version = 0x4B620001

// Kind is what an envelope carries.
type Kind uint32

const (
	Broadcast Kind = iota + 1 // a message for Listeners; Count is its number among all that the member announced
	Request                   // a Request for a Replier of the target; Count is its number between the two members
	Queued                    // acknowledges a Request: it is in the Replier's queue
	Reply                     // the Reply or Status to a Request
	Thanks                    // acknowledges a Reply
	Probe                     // asks what has become of Requests: their ids are the data
	States                    // answers that: ids and states
	Count                     // how many messages the member has announced
	Part                      // some of the bytes of a longer envelope; see package parts
	kinds                     // none
)

// Envelope is one message between members.
type Envelope struct {
	Kind        Kind
	Member      uint32 // that sends it
	Epoch       uint64 // of that member
	Count       uint64
	Target      uint32 // the member that it is for; of a Broadcast, the one that gets the same otherwise, if any
	TargetEpoch uint64 // which it must be in, 0 if that does not matter
	message.Message
}

var big = binary.BigEndian

// Bytes is how long it is.
func (e *Envelope) Bytes() int {
	return HeaderBytes + len(e.Name) + len(e.Data) + message.TraceBytes(e.Trace)
}

// Append appends it.
func (e *Envelope) Append(b []byte) []byte {
	b = wire.AppendHeader(b, &wire.Header{
		Header: e.Header, NameLen: uint32(len(e.Name)), DataLen: uint32(len(e.Data)),
	})
	b = big.AppendUint64(b, e.Epoch)
	b = big.AppendUint64(b, e.Count)
	b = big.AppendUint64(b, e.TargetEpoch)
	b = big.AppendUint32(b, e.Member)
	b = big.AppendUint32(b, e.Target)
	b = big.AppendUint32(b, uint32(e.Kind))
	b = big.AppendUint32(b, version)
	b = append(b, e.Name...)
	return message.AppendTrace(append(b, e.Data...), e.Trace)
}

// Parse reads one, which must fill b. Its data is part of b.
func Parse(b []byte) (e Envelope, err error) { return parse(b, true) }

// ParseBeginning reads one of which b is the beginning, and gives it without its data.
func ParseBeginning(b []byte) (e Envelope, err error) {
	e, err = parse(b, false)
	e.Data = nil
	return e, err
}

func parse(b []byte, whole bool) (e Envelope, err error) {
	if len(b) < HeaderBytes {
		return e, fmt.Errorf("%d bytes are too few for an envelope, whose header has %d", len(b), HeaderBytes)
	}
	h, err := wire.ParseHeader(b)
	if err != nil {
		return e, err
	}
	rest := b[wire.HeaderBytes:HeaderBytes]
	e.Epoch, e.Count, e.TargetEpoch = big.Uint64(rest), big.Uint64(rest[8:]), big.Uint64(rest[16:])
	e.Member, e.Target, e.Kind = big.Uint32(rest[24:]), big.Uint32(rest[28:]), Kind(big.Uint32(rest[32:]))
	body := b[HeaderBytes:]
	promised := uint64(h.NameLen) + uint64(h.DataLen)
	switch v := big.Uint32(rest[36:]); {
	case v != version:
		return e, fmt.Errorf("an envelope of version %08x, and not %08x: use the same kbus-limpet everywhere",
			v, uint32(version))
	case e.Kind == 0 || e.Kind >= kinds:
		return e, fmt.Errorf("an envelope of unknown kind %d", e.Kind)
	case whole && promised > uint64(len(body)), uint64(h.NameLen) > uint64(len(body)):
		return e, fmt.Errorf("an envelope that promises %d bytes of name and %d of data, and has %d of both",
			h.NameLen, h.DataLen, len(body))
	}
	e.Header = h.Header
	e.Name, e.Data = string(body[:h.NameLen]), body[h.NameLen:]
	if whole && promised < uint64(len(body)) {
		trace, rest, ok := message.CutTrace(body[promised:])
		if c, _ := message.TraceFault(trace); !ok || len(rest) > 0 || c != message.OK {
			return e, fmt.Errorf("an envelope that promises %d bytes of name and %d of data, and has %d of both", h.NameLen, h.DataLen, len(body))
		}
		e.Data, e.Trace = body[h.NameLen:promised], message.TraceOf(trace)
	}
	if c := message.CheckName(e.Name); c != message.OK {
		return e, fmt.Errorf("an envelope for the name %q: %w", e.Name, c)
	}
	return e, nil
}
