package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// library is a system of buses as the library reaches it.
type library struct {
	fail     func(...any) // ends the case: a breakdown, and no outcome
	open     func(device uint32, opts ...kbus.Option) (*kbus.Ksock, error)
	observe  func(device uint32) (*kbus.Observer, error)
	end      func() // the bus is lost
	mixed    bool   // there are other clients in this process
	devices  int
	watchers []*kbus.Observer // one for each device, from when it was first looked at
}

// libraryOn is the library to the daemon in a directory.
func libraryOn(dir string, devices int, rings bool, fail func(...any)) *library {
	where := []kbus.Option{kbus.Dir(dir), kbus.Rings(rings)}
	l := &library{fail: fail, devices: devices}
	l.open = func(device uint32, opts ...kbus.Option) (*kbus.Ksock, error) {
		k, err := kbus.Open(context.Background(), kbus.BusNumber(device), append(opts, where...)...)
		if err == nil && !l.mixed && segments(fail) != rings {
			fail(fmt.Sprintf("rings are asked for: %v; there are any: %v", rings, !rings))
		}
		return k, err
	}
	l.observe = func(device uint32) (*kbus.Observer, error) {
		return kbus.Observe(context.Background(), kbus.BusNumber(device), where...)
	}
	return l
}

// segments reports whether rings are mapped into this process. Front ends take their turns, so all are of one kind.
func segments(fail func(...any)) bool {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		fail(err)
	}
	return strings.Contains(string(maps), "memfd:kbus-ring")
}

func libraryInside(t *testing.T, c trace.Config) *library {
	var config *bus.Config // of all buses that are made from now on
	first := kbus.NewBus(func(b *bus.Config) {
		config = b
		b.MaxMessageBytes, b.AbsMaxMessageBytes = c.MaxMessageBytes, c.AbsMaxMessageBytes
		b.MaxMessages, b.MaxSetAside = c.MaxMessages, c.MaxSetAside
		b.FirstKsock = 1 - uint32(c.Devices) // the Ksocks that make the other devices are those before number 1
	})
	config.FirstKsock = 0
	open := func(device uint32, opts ...kbus.Option) (*kbus.Ksock, error) {
		b, err := first.Other(kbus.BusNumber(device))
		if err != nil {
			return nil, err
		}
		return b.Open(t.Context(), opts...)
	}
	observe := func(device uint32) (*kbus.Observer, error) {
		b, err := first.Other(kbus.BusNumber(device))
		if err != nil {
			return nil, err
		}
		return b.Observe(t.Context())
	}
	l := &library{fail: t.Fatal, open: open, observe: observe, end: func() { first.Close() }, devices: 1}
	for l.devices < c.Devices {
		l.addDevice()
	}
	t.Cleanup(func() { first.Close() })
	return l
}

func (l *library) addDevice() {
	k, err := l.open(0)
	if err == nil {
		defer k.Close()
		_, err = k.Settings().AddBus(context.Background())
	}
	if err != nil {
		l.fail(err)
	}
	l.devices++
}

func (l *library) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	opts := []kbus.Option{kbus.Original()}
	switch mode {
	case "r":
		opts = append(opts, kbus.ReadOnly())
	case "w":
		opts = append(opts, kbus.WriteOnly())
	}
	k, err := l.open(uint32(device), opts...)
	if err != nil {
		return nil, 0, l.errno(err)
	}
	return &ksock{Ksock: k, bytes: k.File(), system: l}, uint32(k.ID()), 0
}

func (l *library) Bindings() string { return l.report((*kbus.Observer).BindingsReport) }

func (l *library) Stats() string { return l.report((*kbus.Observer).StatsReport) }

func (l *library) report(ask func(*kbus.Observer, context.Context) (string, error)) (all string) {
	for device := range l.devices {
		text, err := ask(l.watcher(device), context.Background())
		if err != nil {
			l.fail(err)
		}
		all += text
	}
	return all
}

func (l *library) watcher(device int) *kbus.Observer {
	for next := len(l.watchers); next <= device; next++ {
		o, err := l.observe(uint32(next))
		if err != nil {
			l.fail(err)
		}
		l.watchers = append(l.watchers, o)
	}
	return l.watchers[device]
}

func (l *library) End() {
	for _, o := range l.watchers {
		o.Close()
	}
	l.watchers = nil // the next look may be at another daemon
}

// Kill loses the buses.
func (l *library) Kill() { l.end() }

// Encode goes through the codec of the library.
func (l *library) Encode(entire []byte) ([]byte, syscall.Errno) {
	h, name, data, c := message.ParseEntire(entire, uint32(len(entire)))
	if c != message.OK {
		return nil, c.Errno()
	}
	return message.AppendEntire(nil, &h, name, data), 0
}

// errno is the number of a Condition. Any other error is no outcome of the bus, and ends the test.
func (l *library) errno(err error) syscall.Errno {
	var c kbus.Condition
	switch {
	case err == nil:
		return 0
	case errors.As(err, &c):
		return c.Errno()
	}
	l.fail(err)
	return 0
}

// ksock is one Ksock of the library. Whole messages go through Send, Next and ReceiveInto, pieces through Bytes.
type ksock struct {
	*kbus.Ksock
	bytes   *kbus.File
	system  *library
	reading bool // a message has been begun to be read in pieces
	took    int
}

func (k *ksock) Close() { k.Ksock.Close() }

// Bind passes on what it is given as a Role: anything but 0 is a Replier (F4).
func (k *ksock) Bind(name []byte, replier uint32) syscall.Errno {
	return k.system.errno(k.Ksock.Bind(context.Background(), string(name), kbus.Role(min(replier, 255))))
}

func (k *ksock) Unbind(name []byte, replier uint32) syscall.Errno {
	return k.system.errno(k.Ksock.Unbind(context.Background(), string(name), kbus.Role(min(replier, 255))))
}

func (k *ksock) Replier(name []byte) (ret int, id uint32, errno syscall.Errno) {
	r, err := k.Ksock.File().Replier(context.Background(), string(name))
	if r != 0 {
		ret = 1
	}
	return ret, uint32(r), k.system.errno(err)
}

func (k *ksock) Write(p []byte) (int, syscall.Errno) {
	n, err := k.bytes.Write(context.Background(), p)
	return n, k.system.errno(err)
}

func (k *ksock) Send() (message.ID, syscall.Errno) {
	sent, err := k.bytes.Send(context.Background())
	return sent.ID, k.sent(sent, err)
}

// sent is what the operation gives to a C program.
func (k *ksock) sent(sent kbus.Sent, err error) syscall.Errno {
	if sent.Pending {
		err = kbus.ErrPending
	}
	return k.system.errno(err)
}

func (k *ksock) Next() (ret int, length uint32, errno syscall.Errno) {
	n, err := k.bytes.NextMsg(context.Background())
	k.reading = n > 0
	return min(n, 1), uint32(n), k.system.errno(err)
}

func (k *ksock) Read(p []byte) (int, syscall.Errno) {
	for n := 0; ; {
		m, err := k.bytes.Read(context.Background(), p[n:])
		if n += m; err == io.EOF || err == nil && n == len(p) {
			return n, 0
		}
		if err != nil {
			return n, k.system.errno(err)
		}
	}
}

func (k *ksock) LastSent() (message.ID, syscall.Errno) {
	id, err := k.Ksock.File().LastSent(context.Background())
	return id, k.system.errno(err)
}

func (k *ksock) Poll() (readable, writable bool) {
	readable, writable, err := k.Ksock.File().Poll(context.Background())
	k.system.errno(err)
	return readable, writable
}

// SendMessage and Receive are trace.Whole.
func (k *ksock) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	id, _, _, errno := k.SendCounted(h, name, data)
	return id, errno
}

func (k *ksock) SendCounted(h *message.Header, name, data []byte) (message.ID, uint32, uint32, syscall.Errno) {
	sent, err := k.Ksock.Send(context.Background(), &kbus.Message{Header: *h, Name: string(name), Data: data})
	return sent.ID, sent.Reached, sent.Skipped, k.sent(sent, err)
}

// Receive does not wait, as the recording did not. Every other time it goes the way of those that do, which is only
// taken when something is there. The recording always read in pieces, so it dropped what was left of the message
// before; whole messages leave that alone.
func (k *ksock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	if k.reading {
		return k.receivePieces()
	}
	m, n := new(kbus.Message), uint32(0)
	var err error
	if k.took++; k.took%2 == 0 {
		n, _ = k.Queue().Len(context.Background()) // of a lost bus Next tells more
	}
	if n > 0 {
		err = k.ReceiveInto(context.Background(), m)
	} else {
		m, err = k.Ksock.Next(context.Background())
	}
	if err != nil || m == nil {
		return h, nil, nil, false, k.system.errno(err)
	}
	return m.Header, []byte(m.Name), m.Data, true, 0
}

func (k *ksock) receivePieces() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
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

func (k *ksock) Value(op string, in uint32) (out uint32, errno syscall.Errno) {
	var err error
	switch op {
	case "ksockid":
		out = uint32(k.ID())
	case "lenleft":
		n, e := k.bytes.LenLeft(context.Background())
		out, err = uint32(n), e
	case "missed":
		total, e := k.Queue().Missed(context.Background())
		out, err = uint32(total), e
	case "nummsgs":
		out, err = k.Queue().Len(context.Background())
	case "unrepliedto":
		out, err = k.Queue().Unreplied(context.Background())
	case "newdevice":
		n, e := k.Settings().AddBus(context.Background())
		if out, err = uint32(n), e; err == nil {
			k.system.devices++
		}
	case "maxmsgs":
		out, err = k.Queue().SetLimit(context.Background(), in)
	case "maxmsgsize":
		out, err = k.Settings().SetMaxMessageBytes(context.Background(), in)
	case "msgonlyonce":
		return k.turn(in, k.Queue().OnlyOnce, k.Queue().SetOnlyOnce)
	case "verbose":
		return k.turn(in, k.bytes.Verbose, k.bytes.SetVerbose)
	case "reportreplierbinds":
		return k.turn(in, k.Settings().ReportReplierBinds, k.Settings().SetReportReplierBinds)
	}
	return out, k.system.errno(err)
}

// turn turns a switch. The library's are bools, so a value that is none cannot be said; bare frames say it.
func (k *ksock) turn(in uint32, ask func(context.Context) (bool, error),
	set func(context.Context, bool) (bool, error)) (old uint32, errno syscall.Errno) {
	var was bool
	var err error
	switch in {
	case 0, 1:
		was, err = set(context.Background(), in == 1)
	case 0xFFFFFFFF:
		was, err = ask(context.Background())
	default:
		err = kbus.ErrBadSwitch
	}
	if was {
		old = 1
	}
	return old, k.system.errno(err)
}

func (k *ksock) Plain(op string) syscall.Errno {
	if op == "discard" {
		return k.system.errno(k.Discard(context.Background()))
	}
	return k.system.errno(k.File().Reset(context.Background()))
}

// Unknown is what the library's type system does; bare frames ask the bus.
func (k *ksock) Unknown(uint32) syscall.Errno { return syscall.ENOTTY }
