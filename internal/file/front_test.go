package file_test

import (
	"encoding/binary"
	"syscall"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// The front end that traces drive: Files, called as the kernel would call a device. Everything but read, write and poll
// goes through Ioctl with the numbers and argument structures of a C program, so the replay covers those too.

// machine is a set of buses, and the memory of the program that uses them.
type machine struct {
	memory
	config trace.Config
	buses  []*bus.Bus
	files  map[*bus.Ksock]*file.File
	tap    bus.Tap     // on all buses; nil: none
	quick  func() bool // whether the next operation may go a quick way; nil: any may
}

func newMachine(c trace.Config) *machine {
	m := &machine{config: c, files: map[*bus.Ksock]*file.File{}}
	for range c.Devices {
		m.addBus()
	}
	return m
}

func startMachine(c trace.Config) trace.System { return newMachine(c) }

func (m *machine) addBus() {
	m.buses = append(m.buses, bus.New(bus.Config{
		MaxMessageBytes: m.config.MaxMessageBytes, AbsMaxMessageBytes: m.config.AbsMaxMessageBytes,
		MaxMessages: m.config.MaxMessages, MaxSetAside: m.config.MaxSetAside,
	}))
	if m.tap != nil {
		m.buses[len(m.buses)-1].SetTap(m.tap)
	}
	m.turn()
}

// turn has all buses take their quick paths from now on, or not, if it is for the machine to say.
func (m *machine) turn() {
	if m.quick != nil {
		for _, b := range m.buses {
			b.SetQuick(m.quick())
		}
	}
}

func (m *machine) quickly() (n uint64) {
	for _, b := range m.buses {
		n += b.Quickly().Announced
	}
	return n
}

// NewBus is file.Host.
func (m *machine) NewBus(bus.Owner) (uint32, message.Condition) {
	if len(m.buses) >= m.config.MostDevices {
		return 0, message.ErrTooManyBuses
	}
	m.addBus()
	return uint32(len(m.buses) - 1), message.OK
}

func (m *machine) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	k, errno := m.open(device, mode)
	if errno != 0 {
		return nil, 0, errno
	}
	return k, uint32(k.file.Ksock.ID()), 0
}

func (m *machine) open(device int, mode string) (*ksock, syscall.Errno) {
	if device < 0 || device >= len(m.buses) {
		return nil, message.ErrNoSuchBus.Errno()
	}
	k, c := m.buses[device].Open(bus.Owner{PID: 4021, Original: true})
	if c != message.OK {
		return nil, c.Errno()
	}
	modes := map[string]file.Mode{"r": file.Read, "w": file.Write, "rw": file.ReadWrite}
	f := file.New(m.buses[device], k, modes[mode])
	m.files[k] = f
	return &ksock{machine: m, file: f}, 0
}

func (m *machine) Bindings() string {
	var b []byte
	for n, on := range m.buses {
		b = file.AppendBindingsReport(b, uint32(n), on)
	}
	return string(b)
}

func (m *machine) Stats() string {
	var b []byte
	for n, on := range m.buses {
		b = file.AppendStatsReport(b, uint32(n), on, func(k *bus.Ksock) *file.File { return m.files[k] })
	}
	return string(b)
}

func (m *machine) End() {}

// ksock is one open descriptor.
type ksock struct {
	machine *machine
	file    *file.File
}

func (k *ksock) Close() {
	delete(k.machine.files, k.file.Ksock)
	k.file.Close()
}

// Put is trace.Placer, and PutLast too: blocks of memory end where they end.
func (k *ksock) Put(b []byte) uint64     { return k.machine.Put(b) }
func (k *ksock) PutLast(b []byte) uint64 { return k.machine.Put(b) }

// ioctl calls with arg as the argument's bytes, into which the result is stored.
func (k *ksock) ioctl(code uint32, arg []byte) (int, syscall.Errno) {
	k.machine.turn()
	at := uint64(0)
	if arg != nil {
		at = k.Put(arg)
	}
	ret, out, c := k.file.Ioctl(code, at, k.machine, k.machine)
	copy(arg, out)
	return int(ret), c.Errno()
}

func (k *ksock) word(code, in uint32) (out uint32, ret int, errno syscall.Errno) {
	arg := binary.NativeEndian.AppendUint32(nil, in)
	ret, errno = k.ioctl(code, arg)
	return binary.NativeEndian.Uint32(arg), ret, errno
}

func (k *ksock) id(code uint32) (message.ID, syscall.Errno) {
	arg := make([]byte, 8)
	_, errno := k.ioctl(code, arg)
	u := binary.NativeEndian.Uint32
	return message.ID{Network: u(arg), Serial: u(arg[4:])}, errno
}

// request lays out a bind request or bind query (R3.3).
func (k *ksock) request(first uint32, name []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, first)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(name)))
	return binary.NativeEndian.AppendUint64(b, k.Put(append(name[:len(name):len(name)], 0)))
}

func (k *ksock) Bind(name []byte, replier uint32) syscall.Errno {
	_, errno := k.ioctl(file.IoctlBind, k.request(replier, name))
	return errno
}

func (k *ksock) Unbind(name []byte, replier uint32) syscall.Errno {
	_, errno := k.ioctl(file.IoctlUnbind, k.request(replier, name))
	return errno
}

func (k *ksock) Replier(name []byte) (int, uint32, syscall.Errno) {
	query := k.request(99, name)
	ret, errno := k.ioctl(file.IoctlReplier, query)
	return ret, binary.NativeEndian.Uint32(query), errno
}

func (k *ksock) Write(p []byte) (int, syscall.Errno) {
	n, c := k.file.Write(p)
	return n, c.Errno()
}

func (k *ksock) Read(p []byte) (int, syscall.Errno) {
	n, c := k.file.Read(p)
	return n, c.Errno()
}

func (k *ksock) Send() (message.ID, syscall.Errno) { return k.id(file.IoctlSend) }

func (k *ksock) LastSent() (message.ID, syscall.Errno) { return k.id(file.IoctlLastSent) }

func (k *ksock) Next() (int, uint32, syscall.Errno) {
	length, ret, errno := k.word(file.IoctlNextMsg, 99)
	return ret, length, errno
}

func (k *ksock) Poll() (bool, bool) { return k.file.Poll() }

func (k *ksock) Value(op string, in uint32) (uint32, syscall.Errno) {
	code := map[string]uint32{
		"ksockid": file.IoctlKsockID, "lenleft": file.IoctlLenLeft, "nummsgs": file.IoctlNumMsgs,
		"unrepliedto": file.IoctlUnrepliedTo, "newdevice": file.IoctlNewDevice, "maxmsgs": file.IoctlMaxMsgs,
		"msgonlyonce": file.IoctlMsgOnlyOnce, "verbose": file.IoctlVerbose,
		"reportreplierbinds": file.IoctlReportReplierBinds, "maxmsgsize": file.IoctlMaxMsgSize,
	}[op]
	out, _, errno := k.word(code, in)
	return out, errno
}

func (k *ksock) Plain(op string) syscall.Errno {
	code := map[string]uint32{"reset": file.IoctlReset, "discard": file.IoctlDiscard}[op]
	_, errno := k.ioctl(code, nil)
	return errno
}

func (k *ksock) Unknown(code uint32) syscall.Errno {
	_, errno := k.ioctl(code, make([]byte, 8))
	return errno
}
