package conformance

import (
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// frames is a daemon reached with no library in between: the numbers and bytes of docs/protocol.md. So it can also ask
// what the library's types do not let a program ask.
type frames struct {
	*daemon
	t        *testing.T
	buses    int
	rings    bool
	watchers []*rawclient.Client
}

func (f *frames) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	if device >= f.buses {
		return nil, 0, syscall.ENOENT // there is no such socket
	}
	client := rawclient.Dial(f.t, f.path(device))
	client.Features = wire.FeatureOriginal
	bits := map[string]uint32{"r": wire.ModeRead, "w": wire.ModeWrite, "rw": wire.ModeRead | wire.ModeWrite}[mode]
	hello := client.Hello
	if f.rings {
		hello = client.HelloRings
	}
	welcome := hello(bits)
	return &framesKsock{Client: client, system: f, id: welcome.Arg}, welcome.Arg, welcome.Condition.Errno()
}

func (f *frames) Bindings() string { return f.report(wire.OpBindingsReport) }

func (f *frames) Stats() string { return f.report(wire.OpStatsReport) }

func (f *frames) report(op wire.Op) (all string) {
	for device := range f.buses {
		if device == len(f.watchers) {
			observer := rawclient.Dial(f.t, f.path(device))
			observer.Hello(0)
			f.watchers = append(f.watchers, observer)
		}
		all += string(f.watchers[device].Must(op, 0, nil).Payload)
	}
	return all
}

func (f *frames) End() {}

// framesKsock is one connection.
type framesKsock struct {
	*rawclient.Client
	system  *frames
	id      uint32
	reading bool // a message has been begun to be read in pieces
	took    int
}

// Close returns when the daemon has closed too.
func (k *framesKsock) Close() {
	k.CloseWrite()
	k.Drain()
	k.Client.Close()
	if k.Rings != nil {
		k.Rings.Close()
	}
}

// ask gives the result and the errno of its condition.
func (k *framesKsock) ask(op wire.Op, arg uint32, payload []byte) (rawclient.Frame, syscall.Errno) {
	f := k.Ask(op, arg, payload)
	return f, f.Condition.Errno()
}

func (k *framesKsock) Bind(name []byte, replier uint32) syscall.Errno {
	_, errno := k.ask(wire.OpBind, replier, name)
	return errno
}

func (k *framesKsock) Unbind(name []byte, replier uint32) syscall.Errno {
	_, errno := k.ask(wire.OpUnbind, replier, name)
	return errno
}

func (k *framesKsock) Replier(name []byte) (ret int, id uint32, errno syscall.Errno) {
	f, errno := k.ask(wire.OpReplier, 0, name)
	return int(min(f.Arg, 1)), f.Arg, errno
}

func (k *framesKsock) Write(p []byte) (int, syscall.Errno) {
	f, errno := k.ask(wire.OpWrite, 0, p)
	return int(f.Arg), errno
}

func (k *framesKsock) Send() (message.ID, syscall.Errno) {
	s, errno := sent(k.ask(wire.OpSend, 0, nil))
	return s.ID, errno
}

func sent(f rawclient.Frame, errno syscall.Errno) (wire.Sent, syscall.Errno) {
	s, _ := wire.ParseSent(f.Payload)
	return s, errno
}

func (k *framesKsock) Next() (ret int, length uint32, errno syscall.Errno) {
	f, errno := k.ask(wire.OpNextMsg, 0, nil)
	k.reading = f.Arg > 0
	return int(min(f.Arg, 1)), f.Arg, errno
}

func (k *framesKsock) Read(p []byte) (int, syscall.Errno) {
	f, errno := k.ask(wire.OpRead, uint32(len(p)), nil)
	return copy(p, f.Payload), errno
}

func (k *framesKsock) LastSent() (message.ID, syscall.Errno) {
	f, errno := k.ask(wire.OpLastSent, 0, nil)
	id, _ := wire.ParseID(f.Payload)
	return id, errno
}

func (k *framesKsock) Poll() (readable, writable bool) {
	f := k.Must(wire.OpPoll, 0, nil)
	return f.Arg&1 != 0, f.Arg&2 != 0
}

// SendMessage and Receive are trace.Whole.
func (k *framesKsock) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	id, _, _, errno := k.SendCounted(h, name, data)
	return id, errno
}

func (k *framesKsock) SendCounted(h *message.Header, name, data []byte) (message.ID, uint32, uint32, syscall.Errno) {
	s, errno := sent(k.ask(wire.OpSendMessage, 0, wire.AppendMessage(nil, h, name, data)))
	return s.ID, s.Reached, s.Skipped, errno
}

// Receive takes from the window every other time, and asks otherwise: what the window shows must then be taken back.
func (k *framesKsock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	if k.reading {
		return k.receivePieces()
	}
	if k.took++; k.Rings != nil && k.took%2 == 0 {
		payload, more := k.Rings.TakeMessage()
		if payload != nil { // another may wait for its room: as the libraries, go on when the daemon has taken note
			k.ask(wire.OpReset, 0, nil)
		}
		if payload != nil || !more {
			name, data, _, ok = wire.ParseMessage(payload, &h)
			return h, name, data, ok, 0
		}
	}
	f, errno := k.ask(wire.OpNext, 0, nil)
	name, data, _, ok = wire.ParseMessage(f.Payload, &h)
	return h, name, data, ok, errno
}

// receivePieces is for when a message is being read: the recording program then dropped the rest of it.
func (k *framesKsock) receivePieces() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	_, length, errno := k.Next()
	if errno != 0 || length == 0 {
		return h, nil, nil, false, errno
	}
	b := make([]byte, length)
	if _, errno = k.Read(b); errno != 0 {
		return h, nil, nil, false, errno
	}
	k.reading = false
	h, name, data, c := message.ParseEntire(b, length)
	return h, name, data, true, c.Errno()
}

func (k *framesKsock) Value(op string, in uint32) (out uint32, errno syscall.Errno) {
	if op == "ksockid" {
		return k.id, 0
	}
	if op == "missed" {
		f, errno := k.ask(wire.OpMissed, 0, nil)
		total, _ := wire.ParseMissedTotal(f.Payload)
		return uint32(total), errno
	}
	ops := map[string]wire.Op{
		"lenleft": wire.OpLenLeft, "nummsgs": wire.OpNumMessages, "unrepliedto": wire.OpNumUnreplied, "newdevice": wire.OpNewBus,
		"maxmsgs": wire.OpMaxMessages, "msgonlyonce": wire.OpOnlyOnce, "verbose": wire.OpVerbose,
		"reportreplierbinds": wire.OpReportReplierBinds, "maxmsgsize": wire.OpMaxMessageSize,
	}
	f, errno := k.ask(ops[op], in, nil)
	if op == "newdevice" && errno == 0 {
		k.system.buses++
	}
	return f.Arg, errno
}

func (k *framesKsock) Plain(op string) syscall.Errno {
	_, errno := k.ask(map[string]wire.Op{"discard": wire.OpDiscard, "reset": wire.OpReset}[op], 0, nil)
	return errno
}

// Unknown asks for an operation that does not exist either.
func (k *framesKsock) Unknown(code uint32) syscall.Errno {
	_, errno := k.ask(200, code, nil)
	return errno
}
