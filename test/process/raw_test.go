package process

import (
	"fmt"
	"net"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// raw is a client made of nothing but the socket protocol. It can do what the library would never do: ask for much at
// once, and break off anywhere.
type raw struct {
	*net.UnixConn
	ksock uint32
	seq   uint32
	out   []byte // requests not yet written
	in    []byte // received and not yet looked at
}

// openRaw opens a Ksock to read and write on bus 0, where $KBUS_DIR says.
func openRaw(dir string) (*raw, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: kbus.SocketPath(dir, 0), Net: "unix"})
	if err != nil {
		return nil, err
	}
	r := &raw{UnixConn: conn}
	hello := wire.AppendHello(nil, wire.Hello{Lowest: wire.Version, Highest: wire.Version})
	h, _, err := r.ask(wire.OpHello, wire.ModeRead|wire.ModeWrite, hello)
	r.ksock = h.Arg
	return r, err
}

// put adds a request, for the next flush.
func (r *raw) put(op wire.Op, arg uint32, payload []byte) {
	r.seq++
	r.out = wire.AppendFrame(r.out, wire.Header{Op: op, Seq: r.seq, Arg: arg}, payload)
}

// putMessage adds a request that sends a message.
func (r *raw) putMessage(op wire.Op, m *kbus.Message) {
	r.put(op, 0, wire.AppendMessage(nil, &m.Header, []byte(m.Name), m.Data))
}

func (r *raw) flush() error {
	_, err := r.Write(r.out)
	r.out = r.out[:0]
	return err
}

// next gives the next result, which is valid until the one after it.
func (r *raw) next() (wire.Header, []byte, error) {
	for {
		h, payload, n, err := wire.Split(r.in, wire.MaxResultBytes)
		if n > 0 || err != nil {
			r.in = r.in[n:]
			return h, payload, err
		}
		if cap(r.in)-len(r.in) < len(r.in)+4096 {
			r.in = append(make([]byte, 0, 2*cap(r.in)+(64<<10)), r.in...)
		}
		if n, err = r.Read(r.in[len(r.in):cap(r.in)]); err != nil {
			return h, nil, err
		}
		r.in = r.in[:len(r.in)+n]
	}
}

// ask sends one request and gives its result, which must be good.
func (r *raw) ask(op wire.Op, arg uint32, payload []byte) (wire.Header, []byte, error) {
	r.put(op, arg, payload)
	if err := r.flush(); err != nil {
		return wire.Header{}, nil, err
	}
	h, payload, err := r.next()
	if err == nil && h.Condition != message.OK {
		err = fmt.Errorf("%v: %w %s", op, h.Condition, payload)
	}
	return h, payload, err
}
