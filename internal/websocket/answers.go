package websocket

import (
	"errors"

	"kbus.example/kbus/internal/wire"
)

// What the daemon answers, with refusals in the place of the Resets that were asked for them. Results of Resets come in the order
// of the Resets, so a queue says which is which. All else passes through as it comes.

// answers is what comes from the daemon for one page.
type answers struct {
	refusals <-chan *refusal // for each Reset that was sent, in order; nil: it is the page's own
	head     []byte
	left     uint32 // bytes of a payload that are still to come
}

var errUnasked = errors.New("the bus answers a Reset that was not asked for")

// pass appends to out what the page gets for bytes of the daemon.
func (a *answers) pass(out, in []byte) ([]byte, error) {
	for len(in) > 0 {
		if a.left > 0 {
			n := min(uint64(a.left), uint64(len(in)))
			out, in, a.left = append(out, in[:n]...), in[n:], a.left-uint32(n)
			continue
		}
		n := min(wire.HeaderBytes-len(a.head), len(in))
		a.head, in = append(a.head, in[:n]...), in[n:]
		if len(a.head) < wire.HeaderBytes {
			break
		}
		h := wire.ParseHeader(a.head)
		a.head, a.left = a.head[:0], h.PayloadBytes
		if h.Op == wire.OpReset {
			select {
			case r := <-a.refusals:
				if r != nil {
					out = wire.AppendFrame(out, wire.Header{Op: r.op, Seq: h.Seq, Condition: r.condition}, []byte(r.text))
					continue
				}
			default:
				return out, errUnasked
			}
		}
		out = wire.AppendHeader(out, h)
	}
	return out, nil
}
