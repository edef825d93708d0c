// Package envelope is what bowls say to each other, as bytes: the header `Kb`, then the name, then the data. The header
// is that of the pair protocol (R9.8), 64 bytes, and 40 more that a federation needs: who says it and in which epoch,
// what kind of saying it is, a count, and which bowl and epoch it is meant for. All numbers are big-endian.
//
// It is pure. What comes from a network is not to be trusted, so every length is held against what there is.
package envelope

import (
	"encoding/binary"
	"fmt"

	"kbus/limpet/wire"
	"kbus/message"
)

// HeaderBytes is the length of the header `Kb`.
const HeaderBytes = wire.HeaderBytes + 40

// version is the last word of the header. Another version is refused.
const version = 0x4B620001

// Kind says what an envelope is.
type Kind uint32

const (
	Heard   Kind = iota + 1 // a message that Listeners may hear; Count is its number among all that the bowl announced
	Request                 // a Request for a Replier of the target; Count is its number between the two bowls
	Queued                  // acknowledges a Request: it is in the Replier's queue
	Reply                   // the Reply or Status to a Request
	Thanks                  // acknowledges a Reply
	Probe                   // asks what has become of Requests: their ids are the data
	States                  // answers that: ids and states
	Count                   // how many messages the bowl has announced
	kinds                   // none
)

// Envelope is one saying.
type Envelope struct {
	Kind        Kind
	Bowl        uint32 // who says it
	Epoch       uint64 // of that bowl
	Count       uint64
	Target      uint32 // the bowl that it is for; of a Heard, the one that gets the same otherwise, if any
	TargetEpoch uint64 // which it must be in, 0 if that does not matter
	message.Message
}

var big = binary.BigEndian

// Bytes is how long it is.
func (e *Envelope) Bytes() int { return HeaderBytes + len(e.Name) + len(e.Data) }

// Append appends it.
func (e *Envelope) Append(b []byte) []byte {
	b = wire.AppendHeader(b, &wire.Header{
		Header: e.Header, NameLen: uint32(len(e.Name)), DataLen: uint32(len(e.Data)),
	})
	b = big.AppendUint64(b, e.Epoch)
	b = big.AppendUint64(b, e.Count)
	b = big.AppendUint64(b, e.TargetEpoch)
	b = big.AppendUint32(b, e.Bowl)
	b = big.AppendUint32(b, e.Target)
	b = big.AppendUint32(b, uint32(e.Kind))
	b = big.AppendUint32(b, version)
	b = append(b, e.Name...)
	return append(b, e.Data...)
}

// Parse reads one, which must fill b. Its data is part of b.
func Parse(b []byte) (e Envelope, err error) {
	if len(b) < HeaderBytes {
		return e, fmt.Errorf("%d bytes are too few for an envelope, whose header has %d", len(b), HeaderBytes)
	}
	h, err := wire.ParseHeader(b)
	if err != nil {
		return e, err
	}
	rest := b[wire.HeaderBytes:HeaderBytes]
	e.Epoch, e.Count, e.TargetEpoch = big.Uint64(rest), big.Uint64(rest[8:]), big.Uint64(rest[16:])
	e.Bowl, e.Target, e.Kind = big.Uint32(rest[24:]), big.Uint32(rest[28:]), Kind(big.Uint32(rest[32:]))
	body := b[HeaderBytes:]
	switch v := big.Uint32(rest[36:]); {
	case v != version:
		return e, fmt.Errorf("an envelope of version %08x, and not %08x: use the same kbus-limpet everywhere",
			v, uint32(version))
	case e.Kind == 0 || e.Kind >= kinds:
		return e, fmt.Errorf("an envelope of unknown kind %d", e.Kind)
	case uint64(h.NameLen)+uint64(h.DataLen) != uint64(len(body)):
		return e, fmt.Errorf("an envelope that promises %d bytes of name and %d of data, and has %d of both",
			h.NameLen, h.DataLen, len(body))
	}
	e.Header = h.Header
	e.Name, e.Data = string(body[:h.NameLen]), body[h.NameLen:]
	if c := message.CheckName(e.Name); c != message.OK {
		return e, fmt.Errorf("an envelope for the name %q: %w", e.Name, c)
	}
	return e, nil
}
