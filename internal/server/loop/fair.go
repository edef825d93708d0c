package loop

import "golang.org/x/sys/unix"

// The connections of one user have, all together, no more of a turn of the loop than a small part. Without that a user
// with a thousand connections would have a thousand times as much of the bus as a neighbour with one, and a caller
// would wait for all of that in each of the few turns that its call takes.
//
// A connection that comes when its user's part is used up is put off. It waits in its user's line, which comes first in
// the next turns; so all connections of a user get their turns, one after the other. A single request that was more
// work than the part is a debt, which the next turns pay. With one user only there is no one to be fair to, and where
// no other user has wanted anything lately parts are larger.
//
// Connections in a line are not looked at: neither the loop nor epoll goes through them, however many they are.

const (
	// userPerTurn is how many requests the connections of a user get done in a turn of the loop, and rivalPerTurn how many
	// when several users had some done in one of the last rivalTurns.
	userPerTurn  = requestsPerTurn
	rivalPerTurn = requestsPerTurn / 4
	rivalTurns   = 64

	// mostDebt is how many requests, at most, a user is behind, so that even the worst is soon forgiven.
	mostDebt = 256 * rivalPerTurn

	// acceptWork, ringsWork and endWork are what the beginning of a connection, its rings and its end are, in requests:
	// about as many as could be done in that time. Somebody who comes and goes all the time is so slow at it that a
	// neighbour's call seldom meets it.
	acceptWork = 64
	ringsWork  = 128
	endWork    = 64
)

// left is how many requests a user may get done now. It is 0 or less when its part of this turn is used up.
func (l *Loop) left(u *account) int {
	if len(l.accounts.users) < 2 {
		return requestsPerTurn
	}
	if turns := l.turns - u.turn; turns > 0 {
		u.turn = l.turns
		part := l.part()
		u.left = min(u.left+int(min(turns, mostDebt))*part, part)
	}
	return u.left
}

// part is how many requests a user gets done in this turn. It is worked out once for each user that wants something.
func (s *schedule) part() int {
	r := &s.rivals
	if r.asked == s.turns {
		r.met = s.turns
	}
	r.asked = s.turns
	if s.turns-r.met < rivalTurns {
		return rivalPerTurn
	}
	return userPerTurn
}

// rivals is when users want something.
type rivals struct {
	asked uint64 // the last turn in which one did,
	met   uint64 // and two
}

// share is how many requests a connection may get done now.
func (l *Loop) share(c *conn) int { return min(requestsPerTurn, l.left(c.user)) }

// spend notes that so much has been done for a user.
func (l *Loop) spend(u *account, requests int) {
	if len(l.accounts.users) > 1 && requests > 0 {
		u.left = max(l.left(u)-requests, -mostDebt)
	}
}

// silence has epoll say no more of a connection than it has just said, until its turn comes.
func (l *Loop) silence(c *conn) {
	if c.events != unix.EPOLLONESHOT {
		c.events = unix.EPOLLONESHOT
		l.control(unix.EPOLL_CTL_MOD, c.fd, c.events, c.generation)
	}
}

// serveLate gives connections that were put off their turns, as far as their users' parts go.
func (l *Loop) serveLate() {
	l.turns++
	waiting := l.late[:0]
	for _, u := range l.late {
		for n := u.line.len(); n > 0 && l.left(u) > 0; n-- { // not those that join it now
			c := u.line.pop()
			c.putOff = false
			if !c.ended && !c.unfinished {
				l.turn(c, true)
			}
		}
		if u.late = u.line.len() > 0; u.late {
			waiting = append(waiting, u)
		}
	}
	clear(l.late[len(waiting):])
	l.late = waiting
}
