package bus

import (
	"fmt"
	"testing"

	"kbus.example/kbus/message"
)

// Limits, one after the other, at their edge.
func TestAccounts(t *testing.T) {
	const uid, other = 1, 2
	var a accounts
	step := func(what string, got, want message.Condition) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got.Name(), want.Name())
		}
	}
	open := func(uid uint32) *account {
		t.Helper()
		u, c := a.open(uid)
		step(fmt.Sprint("open for ", uid), c, message.OK)
		return u
	}
	a.limits = Limits{Ksocks: 3, UserKsocks: 2, Bindings: 3, UserBindings: 2, QueueBytes: 50, UserQueueBytes: 20}
	u, o := open(uid), open(other)
	if open(uid) != u {
		t.Error("one user, two accounts")
	}
	_, c := a.open(uid)
	step("a third Ksock of one user", c, message.ErrUserConnections)
	_, c = a.open(other)
	step("a fourth in all", c, message.ErrBusConnections)
	_, c = a.open(3)
	step("one of a new user", c, message.ErrBusConnections)
	if len(a.users) != 2 {
		t.Errorf("%d users, want 2: who was refused has no account", len(a.users))
	}

	step("bind", a.bind(u, false), message.OK)
	step("bind", a.bind(u, false), message.OK)
	step("a third binding of one user", a.bind(u, false), message.ErrUserBindings)
	step("bind", a.bind(o, false), message.OK)
	step("a fourth in all", a.bind(o, false), message.ErrBusBindings)
	a.unbind(u, false)
	step("bind after unbind", a.bind(o, false), message.OK)

	a.limits.UserWildcards = 1
	a.unbind(u, false)
	step("a wildcard", a.bind(u, true), message.OK)
	step("a second of one user", a.bind(u, true), message.ErrUserWildcards)
	a.unbind(u, true)
	step("another when that is gone", a.bind(u, true), message.OK)
	a.unbind(u, true)
	step("what is no wildcard", a.bind(u, false), message.OK)

	step("as many bytes as allowed", a.fits(u, 20, 20), message.OK)
	step("one more", a.fits(u, 21, 21), message.ErrUserQueueBytes)
	step("as many, with others'", a.fits(u, 20, 30), message.OK)
	step("and one more of others'", a.fits(u, 20, 31), message.ErrBusQueueBytes)
	a.charge(u, 20)
	step("one more", a.fits(u, 1, 1), message.ErrUserQueueBytes)
	step("half of what is left in all", a.fits(o, 15, 15), message.OK)
	step("one more", a.fits(o, 16, 16), message.ErrBusQueueBytes)

	a.unbind(o, false)
	a.unbind(o, false)
	a.unbind(u, false)
	a.closed(o)
	a.closed(u)
	a.closed(u)
	if a.users[uid] != u || a.users[other] != nil {
		t.Errorf("users %v: an account goes when nothing is charged to it, and not before", a.users)
	}
	if open(uid) != u {
		t.Error("a new account, while bytes are charged to the old one")
	}
	a.discharge(u, 20)
	a.closed(u)
	if len(a.users) != 0 || a.all != (account{}) {
		t.Errorf("with nothing held: %v, in all %+v", a.users, a.all)
	}
}
