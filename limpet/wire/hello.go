package wire

import "fmt"

// Each end sends a greeting first, so that neither sends messages to something that is no Limpet, or to itself.

// HelloBytes is the length of the greeting that each side sends first.
const HelloBytes = 8

const helloLetters = "HELO"

// PlainByte is the first byte of a greeting; a stream that begins with TLSByte is a TLS handshake.
const (
	PlainByte = 'H'
	TLSByte   = 0x16
)

// AppendHello appends the greeting of the Limpet with that network id.
func AppendHello(b []byte, id uint32) []byte {
	return big.AppendUint32(append(b, helloLetters...), id)
}

// ParseHello reads the other end's greeting and gives its network id, which may be neither 0 nor our own.
func ParseHello(b [HelloBytes]byte, own uint32) (id uint32, err error) {
	id = big.Uint32(b[4:])
	switch {
	case string(b[:4]) != helloLetters:
		return 0, garbled("it greets with %q instead of %q", b[:4], helloLetters)
	case id == 0:
		return 0, garbled("it says that its network id is 0; ids begin at 1")
	case id == own:
		return 0, &OwnID{own}
	}
	return id, nil
}

// OwnID is a greeting with our own network id: the other end is this Limpet itself, or one that was given the same.
type OwnID struct{ ID uint32 }

func (o *OwnID) Error() string {
	return fmt.Sprintf("the other end has our own network id %d: give each bus an id of its own, "+
		"and join no bus to itself", o.ID)
}
