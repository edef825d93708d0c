package loop

import (
	"errors"
	"io"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/message"
)

// A bus can also be a device (package device). Its connection with the kernel is one more descriptor of the loop, and
// what the kernel asks is done like what clients ask: in the order in which it comes, the caller answered first.

// attachDevice makes the device, if there are to be any.
func (l *Loop) attachDevice(c *device.Config) (err error) {
	if c == nil {
		return nil
	}
	if l.device, err = device.Attach(*c, uint32(l.number), l.bus, deviceOwner{l.engine, l}); err != nil {
		l.device = nil
	}
	return err
}

// deviceFD is -1 when there is no device.
func (l *Loop) deviceFD() int {
	if l.device == nil {
		return -1
	}
	return l.device.FD()
}

// serveDevice is the device's turn.
func (l *Loop) serveDevice() {
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
func (l *Loop) endDevice(reason error) {
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
	loop *Loop
}

func (o deviceOwner) NewBus(by bus.Owner) (number uint32, c message.Condition) {
	return o.loop.host.NewBus(by)
}

// Admit counts a descriptor as a connection.
func (o deviceOwner) Admit(tid, uid, gid uint32) (device.Visitor, message.Condition) {
	l := o.loop
	pid := processOf(tid)
	u := l.accounts.user(uid)
	if c := l.admit(u, pid); c != message.OK {
		return nil, c
	}
	groups := groupsOf(tid)
	who := bus.Owner{
		UID: uid, GID: gid, PID: pid, Program: session.Printable(programOf(int(pid))), Original: true,
		Administrator: l.host.IsAdministrator(uid, gid, func() []uint32 { return groups }),
		Judge:         &rules.Judge{},
	}
	v := &visitor{loop: l, user: u, owner: who, groups: groups}
	if !l.ruling.none() {
		l.ruling.judgeVisitor(v)
		if j := who.Judge.(*rules.Judge); !j.MayOpen() {
			l.accounts.disconnect(u)
			return nil, message.ErrDenied
		}
	}
	l.ruling.visitors[v] = true
	return v, message.OK
}

// Readmit is Admit of one that was let in before.
func (o deviceOwner) Readmit(s *device.VisitorState) device.Visitor {
	l := o.loop
	u := l.accounts.user(s.Owner.UID)
	l.accounts.connect(u)
	v := &visitor{loop: l, user: u, owner: s.Owner, groups: s.Groups, logged: s.Logged}
	v.owner.Judge = &rules.Judge{}
	if !l.ruling.none() {
		l.ruling.judgeVisitor(v)
	}
	l.ruling.visitors[v] = true
	return v
}

// resumeDevice is attachDevice with one that another process has attached.
func resumeDevice(l *Loop, c *device.Config, s *device.State, d *Descriptors, ksocks []*bus.Ksock) (err error) {
	conn := d.at(s.Conn, &err)
	if err != nil || conn < 0 || c == nil {
		return errors.Join(err, errBadState)
	}
	l.device, err = device.Resume(*c, uint32(l.number), l.bus, deviceOwner{l.engine, l}, s, conn, ksocks)
	return err
}

// visitor is device.Visitor.
type visitor struct {
	loop   *Loop
	user   *account
	owner  bus.Owner
	groups []uint32
	logged uint16 // as of a conn
}

func (v *visitor) Owner() bus.Owner { return v.owner }

func (v *visitor) State() device.VisitorState {
	s := device.VisitorState{Owner: v.owner, Groups: v.groups, Logged: v.logged}
	s.Owner.Judge = nil
	return s
}

func (v *visitor) Buffer(more int64) bool {
	limit := v.loop.accounts.buffer(v.user, more)
	if limit != "" && v.logged&loggedBuffers == 0 {
		v.logged |= loggedBuffers
		v.loop.report(logger.LevelWarn, v.owner.PID, v.owner.UID, "refused", v.loop.accounts.limits.limitAttrs(limit)...)
	}
	return limit == ""
}

// These are beyond the bits of limitNames.
const (
	loggedBuffers = 1 << 15
	loggedBinds   = 1 << 14
)

func (v *visitor) Refused(c message.Condition) {
	v.loop.noteRefusal(&v.logged, v.owner.PID, v.owner.UID, c)
}

func (v *visitor) Leave() {
	delete(v.loop.ruling.visitors, v)
	v.loop.accounts.disconnect(v.user)
}
