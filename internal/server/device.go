package server

import (
	"bytes"
	"io"
	"log/slog"
	"strconv"

	"kbus/internal/bus"
	"kbus/internal/device"
	"kbus/internal/session"
	"kbus/message"
)

// A bus can also be a device (package device). Its connection with the kernel is one more descriptor of the loop, and
// what the kernel asks is done like what clients ask: in the order in which it comes, the caller answered first.

// attachDevice makes the device, if there are to be any.
func (l *loop) attachDevice(c *device.Config) (err error) {
	if c == nil {
		return nil
	}
	if l.device, err = device.Attach(*c, uint32(l.number), l.bus, deviceOwner{l.engine, l}); err != nil {
		l.device = nil
	}
	return err
}

// deviceFD is -1 when there is no device.
func (l *loop) deviceFD() int {
	if l.device == nil {
		return -1
	}
	return l.device.FD()
}

// serveDevice is the device's turn.
func (l *loop) serveDevice() {
	for range requestsPerTurn {
		served, err := l.device.Serve()
		if err != nil {
			l.endDevice(err)
			return
		}
		if !served {
			return
		}
		l.wakeOthers()
	}
}

// endDevice closes every Ksock of the device. The bus goes on without it.
func (l *loop) endDevice(reason error) {
	switch {
	case l.stopping: // as it should
	case reason == io.EOF:
		l.log.Warn("the device was unmounted")
	default:
		l.log.Error("device ended", "reason", reason)
	}
	l.device.End()
	l.device = nil
	l.wakeOthers()
}

// deviceOwner is device.Owner: the reports are the Engine's, the rest is the loop's.
type deviceOwner struct {
	*session.Engine
	loop *loop
}

func (o deviceOwner) NewBus() (number uint32, c message.Condition) { return o.loop.server.NewBus() }

// Admit counts a descriptor as a connection.
func (o deviceOwner) Admit(tid, uid uint32) (device.Visitor, message.Condition) {
	l := o.loop
	pid := processOf(tid)
	u := l.accounts.user(uid)
	if c := l.admit(u, pid); c != message.OK {
		return nil, c
	}
	who := bus.Owner{UID: uid, PID: pid, Program: session.Printable(programOf(int(pid)))}
	return &visitor{loop: l, user: u, owner: who}, message.OK
}

// visitor is device.Visitor.
type visitor struct {
	loop  *loop
	user  *account
	owner bus.Owner
	told  uint8 // as of a conn
}

func (v *visitor) Owner() bus.Owner { return v.owner }

func (v *visitor) Buffer(more int64) bool {
	limit := v.loop.accounts.buffer(v.user, more)
	if limit != "" && v.told&toldOfBuffers == 0 {
		v.told |= toldOfBuffers
		v.loop.say(slog.LevelWarn, v.owner.PID, v.owner.UID, "refused", slog.String("limit", limit))
	}
	return limit == ""
}

// toldOfBuffers is beyond the bits of limitNames.
const toldOfBuffers = 1 << 7

func (v *visitor) Refused(c message.Condition) {
	v.loop.noteRefusal(&v.told, v.owner.PID, v.owner.UID, c)
}

func (v *visitor) Leave() { v.loop.accounts.disconnect(v.user) }

// processOf is the process that a thread belongs to; the thread itself when the kernel does not say.
func processOf(tid uint32) uint32 {
	var status [1024]byte
	text := status[:readProc(int(tid), "status", status[:])]
	if _, after, ok := bytes.Cut(text, []byte("\nTgid:\t")); ok {
		digits, _, _ := bytes.Cut(after, []byte("\n"))
		if pid, err := strconv.ParseUint(string(digits), 10, 32); err == nil {
			return uint32(pid)
		}
	}
	return tid
}
