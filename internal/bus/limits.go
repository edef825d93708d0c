package bus

import "kbus.example/kbus/message"

// Everything that a user can make the bus hold has a limit, is charged before it is allocated, and is given back in one
// place. A user is a uid. charge.go says which user pays for a queued message.

// Limits bound what one bus holds. Zero means no limit.
type Limits struct {
	Ksocks, UserKsocks         int   // open Ksocks
	Bindings, UserBindings     int   // bindings
	QueueBytes, UserQueueBytes int64 // bytes of messages in queues
	UserWildcards              int   // bindings with a wildcard
}

// account is what one user, or the bus in all, holds.
type account struct {
	uid                         uint32
	ksocks, bindings, wildcards int
	bytes                       int64
	windows                     int // Ksocks that have one

	// What a bill has for this user, see there.
	billTurn      uint64
	billed        int64
	billedMessage bool
}

type accounts struct {
	limits Limits
	all    account
	users  map[uint32]*account
}

// SetLimits changes the limits. What is held already stays.
func (b *Bus) SetLimits(l Limits) {
	b.accounts.limits = l
	b.wakes.allPending()
}

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
	case !Shared(user.uid, user.ksocks, a.all.ksocks, a.limits.Ksocks):
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

// maxSame is how often a Ksock may bind the same name (F49).
const maxSame = 16

// bind charges for a binding.
func (a *accounts) bind(user *account, wildcard bool) message.Condition {
	switch {
	case wildcard && over(user.wildcards, 1, a.limits.UserWildcards):
		return message.ErrUserWildcards
	case over(user.bindings, 1, a.limits.UserBindings):
		return message.ErrUserBindings
	case !Shared(user.uid, user.bindings, a.all.bindings, a.limits.Bindings):
		return message.ErrBusBindings
	}
	user.bindings++
	a.all.bindings++
	if wildcard {
		user.wildcards++
		a.all.wildcards++
	}
	return message.OK
}

func (a *accounts) unbind(user *account, wildcard bool) {
	user.bindings--
	a.all.bindings--
	if wildcard {
		user.wildcards--
		a.all.wildcards--
	}
}

// fits tells whether a user can be charged so much more, when so much more is to be charged in all. Beside its own limit
// a user has at most half of what the others leave: however many users there are and whatever they do, one more always
// finds some room.
func (a *accounts) fits(user *account, bytes, total int64) message.Condition {
	l := &a.limits
	if over(user.bytes, bytes, l.UserQueueBytes) {
		return message.ErrUserQueueBytes
	}
	if l.QueueBytes != 0 {
		others := a.all.bytes - user.bytes + total - bytes
		if 2*(user.bytes+bytes) > l.QueueBytes-others {
			return message.ErrBusQueueBytes
		}
	}
	return message.OK
}

// mayHaveOneMore is the same for places, of which there are so many: a user who has none gets the last.
func mayHaveOneMore(own, all, most int) bool {
	return all < most && (own == 0 || own+2 <= most-all)
}

// Shared is how Ksocks, bindings and connections are shared out: whether a user who has so many of them, of all that there are, may have one
// more. most is how many there may be; 0 is no limit. A user alone may want nearly all, so halves would be wrong here; but of
// the last eighth nobody gets more who has as many as are still free. So however many users there are, one more finds some.
// Root, who has to put things right, gets any that are left.
func Shared(uid uint32, own, all, most int) bool {
	if uid == 0 {
		own = 0
	}
	return most == 0 || most-all > most/8 || mayHaveOneMore(own, all, most)
}

func (a *accounts) charge(user *account, bytes int64) {
	user.bytes += bytes
	a.all.bytes += bytes
}

func (a *accounts) discharge(user *account, bytes int64) {
	user.bytes -= bytes
	a.all.bytes -= bytes
	if user.bytes == 0 && user.ksocks == 0 {
		a.dropIdle(user)
	}
}

// dropIdle forgets a user that holds nothing any more.
func (a *accounts) dropIdle(user *account) {
	if user.ksocks == 0 && user.bytes == 0 {
		delete(a.users, user.uid)
	}
}
