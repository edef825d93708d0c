package server

import (
	"kbus/internal/bus"
	"kbus/message"
)

// The bus limits what Ksocks hold. What a connection holds before it is a Ksock, or beside it, is limited here: the
// descriptor, the part of a request that has come so far, and results that the client does not take.
//
// A connection needs no Ksock to exist: an observer has none, and nobody has one before its Hello. So there is a little
// room above the limits on Ksocks: whoever is one too many gets its Hello refused in the words of the protocol, and
// somebody can still look at a bus that is full.
const (
	spareConnections     = 64 // of a bus, above limits.connections
	spareUserConnections = 16 // of a user, above limits.user-connections
)

// account is what the connections of one user, or all of a bus, hold.
type account struct {
	uid         uint32
	connections int
	buffered    int64 // bytes
	refused     int   // connections in a row; while it is not 0, the log has been told
}

type accounts struct {
	limits Limits
	all    account
	users  map[uint32]*account
}

// user is the account of a uid. It is dropped with the last connection.
func (a *accounts) user(uid uint32) *account {
	u := a.users[uid]
	if u == nil {
		u = &account{uid: uid}
		a.users[uid] = u
	}
	return u
}

// mayConnect says whether one more connection may be there: OK, ErrUserConnections or ErrBusConnections.
func (a *accounts) mayConnect(u *account) message.Condition {
	switch l := &a.limits; {
	case l.UserConnections != 0 && u.connections >= l.UserConnections+spareUserConnections:
		return message.ErrUserConnections
	case l.Connections != 0 && a.all.connections >= l.Connections+spareConnections:
		return message.ErrBusConnections
	}
	return message.OK
}

func (a *accounts) connect(u *account) {
	u.connections++
	a.all.connections++
}

func (a *accounts) disconnect(u *account) {
	u.connections--
	a.all.connections--
	a.forgetIdle(u)
}

func (a *accounts) forgetIdle(u *account) {
	if u.connections == 0 && u.refused == 0 {
		delete(a.users, u.uid)
	}
}

// buffer charges for a change of what is buffered. It gives the name of the limit that stands against it, or "" and
// the change is made; giving back is never refused.
func (a *accounts) buffer(u *account, more int64) (limit string) {
	if more > 0 {
		switch l := &a.limits; {
		case l.UserBufferBytes != 0 && u.buffered+more > l.UserBufferBytes:
			return "user-buffer-bytes"
		case l.BufferBytes != 0 && a.all.buffered+more > l.BufferBytes:
			return "buffer-bytes"
		}
	}
	u.buffered += more
	a.all.buffered += more
	return ""
}

// muchBuffered reports whether half of what may be buffered is.
func (a *accounts) muchBuffered(u *account) bool {
	half := func(held, limit int64) bool { return limit != 0 && held > limit/2 }
	return half(u.buffered, a.limits.UserBufferBytes) || half(a.all.buffered, a.limits.BufferBytes)
}

// forBus is the part of the limits that the bus itself keeps.
func (l *Limits) forBus() bus.Limits {
	return bus.Limits{
		Ksocks: l.Connections, UserKsocks: l.UserConnections,
		Bindings: l.Bindings, UserBindings: l.UserBindings,
		QueueBytes: l.QueueBytes, UserQueueBytes: l.UserQueueBytes,
	}
}

// limitNames are the keys of the limits that conditions name.
var limitNames = [...]struct {
	cond message.Condition
	name string
}{
	{message.ErrUserConnections, "user-connections"},
	{message.ErrBusConnections, "connections"},
	{message.ErrUserBindings, "user-bindings"},
	{message.ErrBusBindings, "bindings"},
	{message.ErrUserQueueBytes, "user-queue-bytes"},
	{message.ErrBusQueueBytes, "queue-bytes"},
	{message.ErrTooManyBuses, "buses"},
}

// limitOf gives the key of the limit that a condition names, and its place in limitNames; "" when it names none.
func limitOf(c message.Condition) (name string, place int) {
	for i, n := range limitNames {
		if n.cond == c {
			return n.name, i
		}
	}
	return "", 0
}
