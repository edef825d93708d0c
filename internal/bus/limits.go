package bus

import "kbus/message"

// Everything that a user can make the bus hold has a limit, is charged before it is allocated, and is given back in one
// place. A user is a uid. Queued bytes are charged to whoever sent them, once however many queues share them: the one
// who asks for too much is refused, and nobody else notices.

// Limits bound what one bus holds. Zero means no limit.
type Limits struct {
	Ksocks, UserKsocks         int   // open Ksocks
	Bindings, UserBindings     int   // bindings
	QueueBytes, UserQueueBytes int64 // bytes of messages sent and not yet read by all
}

// account is what one user, or the bus in all, holds.
type account struct {
	uid              uint32
	ksocks, bindings int
	bytes            int64
}

type accounts struct {
	limits Limits
	all    account
	users  map[uint32]*account
}

// SetLimits changes the limits. What is held already stays.
func (b *Bus) SetLimits(l Limits) { b.accounts.limits = l }

func over[T int | int64](held, more, limit T) bool { return limit != 0 && held+more > limit }

// open charges for a Ksock and gives the user's account.
func (a *accounts) open(uid uint32) (*account, message.Condition) {
	user := a.users[uid]
	if user == nil {
		user = &account{uid: uid}
	}
	switch {
	case over(user.ksocks, 1, a.limits.UserKsocks):
		return nil, message.ErrUserConnections
	case over(a.all.ksocks, 1, a.limits.Ksocks):
		return nil, message.ErrBusConnections
	}
	if a.users == nil {
		a.users = map[uint32]*account{}
	}
	a.users[uid] = user
	user.ksocks++
	a.all.ksocks++
	return user, message.OK
}

func (a *accounts) closed(user *account) {
	user.ksocks--
	a.all.ksocks--
	a.dropIdle(user)
}

func (a *accounts) bind(user *account) message.Condition {
	switch {
	case over(user.bindings, 1, a.limits.UserBindings):
		return message.ErrUserBindings
	case over(a.all.bindings, 1, a.limits.Bindings):
		return message.ErrBusBindings
	}
	user.bindings++
	a.all.bindings++
	return message.OK
}

func (a *accounts) unbind(user *account) {
	user.bindings--
	a.all.bindings--
}

// charge is what a message counts, in bytes.
func charge(name, data []byte) int64 { return int64(len(name) + len(data) + perMessage) }

func (a *accounts) canHold(user *account, bytes int64) message.Condition {
	switch {
	case over(user.bytes, bytes, a.limits.UserQueueBytes):
		return message.ErrUserQueueBytes
	case over(a.all.bytes, bytes, a.limits.QueueBytes):
		return message.ErrBusQueueBytes
	}
	return message.OK
}

func (a *accounts) charge(user *account, bytes int64) {
	user.bytes += bytes
	a.all.bytes += bytes
}

func (a *accounts) discharge(user *account, bytes int64) {
	if user == nil {
		return
	}
	user.bytes -= bytes
	a.all.bytes -= bytes
	a.dropIdle(user)
}

// dropIdle forgets a user who holds nothing any more.
func (a *accounts) dropIdle(user *account) {
	if user.ksocks == 0 && user.bytes == 0 {
		delete(a.users, user.uid)
	}
}
