package loop

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// The bus limits what Ksocks hold. What a connection holds before it is a Ksock, or beside it, is limited here: the
// descriptor, the part of a request that has come so far, and results that the client does not take.
//
// A connection needs no Ksock to exist: an observer has none, and no client has one before its Hello. So there is a little
// room above the limits on Ksocks: a client beyond them gets its Hello refused in the words of the protocol, and an
// observer can still look at a bus that is full.
const (
	spareConnections     = 64 // of a bus, above limits.connections
	spareUserConnections = 16 // of a user, above limits.user-connections
)

// account is what the connections of one user, or all of a bus, hold.
type account struct {
	uid         uint32
	connections int
	buffered    int64  // bytes
	turn        uint64 // of the loop, in which
	left        int    // so many requests are left to this user, see fair.go
	line        line   // those of its connections that are put off
	late        bool   // in loop.late, see fair.go
	refused     int    // connections in a row; while it is not 0, the log has a line about them
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
	case l.Connections != 0 && !bus.Shared(u.uid, u.connections, a.all.connections, l.Connections+spareConnections):
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
// the change is made; giving back is never refused. Beside its own limit a user has at most half of what the others leave, so that
// no number of users who hoard has the connections of another end.
func (a *accounts) buffer(u *account, more int64) (limit string) {
	if more > 0 {
		switch l := &a.limits; {
		case l.UserBufferBytes != 0 && u.buffered+more > l.UserBufferBytes:
			return "user-buffer-bytes"
		case l.BufferBytes != 0 && 2*(u.buffered+more) > l.BufferBytes-(a.all.buffered-u.buffered): // as bytes in queues are shared out
			return "buffer-bytes"
		}
	}
	u.buffered += more
	a.all.buffered += more
	return ""
}

// carryOver charges for what was buffered in another process already, whatever the limits are now: nobody must be able to stand in the
// way of an upgrade. What would be more is refused as ever.
func (a *accounts) carryOver(u *account, bytes int64) {
	u.buffered += bytes
	a.all.buffered += bytes
}

// muchBuffered reports whether half of what may be buffered is.
func (a *accounts) muchBuffered(u *account) bool {
	half := func(held, limit int64) bool { return limit != 0 && held > limit/2 }
	return half(u.buffered, a.limits.UserBufferBytes) || half(a.all.buffered, a.limits.BufferBytes)
}
