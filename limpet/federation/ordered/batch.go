package ordered

import (
	"encoding/binary"
	"fmt"

	"kbus.example/kbus/limpet/federation/envelope"
)

// A batch is one entry of the stream: envelopes, each after its length in 4 bytes. They come from one member and epoch,
// and are counted on from batch to batch.

const (
	maxBatch      = 512      // messages
	maxBatchBytes = 60 << 10 // of them together, unless one alone is longer: servers that take 64 KiB carry them
	lengthBytes   = 4
)

func appendEnvelope(b []byte, e *envelope.Envelope) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(e.Bytes()))
	return e.Append(b)
}

// garbled is what is no batch.
type garbled struct{ error }

func (g *garbled) Unwrap() error { return g.error }

// open calls each for the envelopes of a batch.
func open(b []byte, each func(*envelope.Envelope) error) error {
	for len(b) > 0 {
		if len(b) < lengthBytes {
			return &garbled{fmt.Errorf("a batch ends with %d bytes too many", len(b))}
		}
		n := binary.BigEndian.Uint32(b)
		if b = b[lengthBytes:]; uint64(n) > uint64(len(b)) {
			return &garbled{fmt.Errorf("a batch promises %d bytes and has %d", n, len(b))}
		}
		e, err := envelope.Parse(b[:n])
		if err != nil {
			return &garbled{err}
		}
		if err := each(&e); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
