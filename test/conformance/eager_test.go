package conformance

import (
	"slices"
	"syscall"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// The recording program had to poll to get a message out that waited for room; a daemon does that for its clients as
// soon as there may be room (Q5, R11.7). So from the first such moment on a recording and a daemon may rightly differ.
//
// What comes out then is foretold by eager: the bus and its byte-wise view, which give every recorded outcome when left
// alone (internal/file), polled for whoever is due after each operation. It has nothing of what is tested here: no
// session, no frame, no transport, no library.
type eager struct {
	config  trace.Config
	buses   []*bus.Bus
	files   map[*bus.Ksock]*file.File
	stirred bool // a message has gone, or been given up, that the recording program had left waiting
}

func newEager(c trace.Config) *eager {
	e := &eager{config: c, files: map[*bus.Ksock]*file.File{}}
	for range c.Devices {
		e.NewBus(bus.Owner{})
	}
	return e
}

// foretell is t as a daemon should perform it. A difference before anything was polled for would be a fault of eager.
func foretell(t *trace.Trace) (foretold *trace.Trace, changed int) {
	var e *eager
	start := func(c trace.Config) trace.System { e = newEager(c); return e }
	return t.Retold(start, func() bool { return e.stirred })
}

func (e *eager) catchUp() {
	for _, b := range e.buses {
		for due := b.Due(); len(due) > 0; due = b.Due() {
			for _, k := range slices.Clone(due) {
				if _, sending := b.Poll(k); !sending {
					e.stirred = true
				}
			}
		}
	}
}

// NewBus is file.Host.
func (e *eager) NewBus(bus.Owner) (uint32, message.Condition) {
	if len(e.buses) >= e.config.MostDevices {
		return 0, message.ErrTooManyBuses
	}
	e.buses = append(e.buses, bus.New(bus.Config{
		MaxMessageBytes: e.config.MaxMessageBytes, AbsMaxMessageBytes: e.config.AbsMaxMessageBytes,
		MaxMessages: e.config.MaxMessages, MaxSetAside: e.config.MaxSetAside,
	}))
	return uint32(len(e.buses) - 1), message.OK
}

func (e *eager) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	if device >= len(e.buses) {
		return nil, 0, message.ErrNoSuchBus.Errno()
	}
	b := e.buses[device]
	k, c := b.Open(bus.Owner{Original: true})
	if c != message.OK {
		return nil, 0, c.Errno()
	}
	modes := map[string]file.Mode{"r": file.Read, "w": file.Write, "rw": file.ReadWrite}
	f := file.New(b, k, modes[mode])
	e.files[k] = f
	e.catchUp()
	return eagerKsock{f, e}, uint32(k.ID()), 0
}

func (e *eager) Bindings() string {
	var b []byte
	for n, on := range e.buses {
		b = file.AppendBindingsReport(b, uint32(n), on)
	}
	return string(b)
}

func (e *eager) Stats() string {
	var b []byte
	for n, on := range e.buses {
		b = file.AppendStatsReport(b, uint32(n), on, func(k *bus.Ksock) *file.File { return e.files[k] })
	}
	return string(b)
}

func (e *eager) End() {}

type eagerKsock struct {
	f *file.File
	e *eager
}

func (k eagerKsock) Close() {
	delete(k.e.files, k.f.Ksock)
	k.f.Close()
	k.e.catchUp()
}

func (k eagerKsock) Bind(name []byte, replier uint32) syscall.Errno {
	defer k.e.catchUp()
	return k.f.Bus.Bind(k.f.Ksock, string(name), replier != 0).Errno()
}

func (k eagerKsock) Unbind(name []byte, replier uint32) syscall.Errno {
	defer k.e.catchUp()
	return k.f.Bus.Unbind(k.f.Ksock, string(name), replier != 0).Errno()
}

func (k eagerKsock) Replier(name []byte) (ret int, id uint32, errno syscall.Errno) {
	if len(name) == 0 || len(name) > message.MaxNameBytes {
		return 0, 0, message.ErrNameTooLong.Errno()
	}
	if id = uint32(k.f.Bus.Replier(string(name))); id != 0 {
		ret = 1
	}
	return ret, id, 0
}

func (k eagerKsock) Write(p []byte) (int, syscall.Errno) {
	n, c := k.f.Write(p)
	return n, c.Errno()
}

func (k eagerKsock) Send() (message.ID, syscall.Errno) {
	defer k.e.catchUp()
	sent := k.f.Send(nil)
	return sent.ID, sent.Err.Errno()
}

func (k eagerKsock) Next() (ret int, length uint32, errno syscall.Errno) {
	defer k.e.catchUp()
	length = k.f.Next()
	return int(min(length, 1)), length, 0
}

func (k eagerKsock) Read(p []byte) (int, syscall.Errno) {
	n, c := k.f.Read(p)
	return n, c.Errno()
}

func (k eagerKsock) LastSent() (message.ID, syscall.Errno) { return k.f.Bus.LastSent(k.f.Ksock), 0 }

func (k eagerKsock) Poll() (readable, writable bool) {
	defer k.e.catchUp()
	return k.f.Poll()
}

func (k eagerKsock) Value(op string, in uint32) (out uint32, errno syscall.Errno) {
	defer k.e.catchUp()
	b, c := k.f.Bus, message.OK
	switch op {
	case "ksockid":
		out = uint32(k.f.Ksock.ID())
	case "lenleft":
		out = k.f.LenLeft()
	case "nummsgs":
		out = b.NumMessages(k.f.Ksock)
	case "unrepliedto":
		out = b.NumUnreplied(k.f.Ksock)
	case "newdevice":
		out, c = k.e.NewBus(bus.Owner{})
	case "maxmsgs":
		out = b.SetMaxMessages(k.f.Ksock, in)
	case "maxmsgsize":
		out, c = b.SetMaxMessageBytes(nil, in)
	case "msgonlyonce":
		out, c = b.OnlyOnce(k.f.Ksock, in)
	case "verbose":
		out, c = b.Verbose(nil, in)
	case "reportreplierbinds":
		out, c = b.ReportReplierBinds(k.f.Ksock, in)
	}
	return out, c.Errno()
}

func (k eagerKsock) Plain(op string) syscall.Errno {
	defer k.e.catchUp()
	if op == "discard" {
		k.f.Discard()
	}
	return 0
}

func (k eagerKsock) Unknown(uint32) syscall.Errno { return message.ErrUnknownOperation.Errno() }
