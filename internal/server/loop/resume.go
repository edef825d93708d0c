package loop

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
)

// A loop can go on in the place of one that stands still in another process (hold.go). Until it runs it touches nothing that
// the other one has: no socket, no bell, no shared memory. Then each connection gets a turn, for whatever has come meanwhile.
//
// Not all at once, however: what a window shows is copied there, and that of all clients would take as long as the rest of the
// hand-over. Some get their turn in each turn of the loop, and who wants something gets its own when that comes.
//
// Connections from before have no part in the arena any more: only the process that has made one can write there. Large
// messages go to them as they would without it, and what they look at in the old one stays as it is.

// makeBus makes the bus of a loop, or one of a state.
func makeBus(c *Config, bodies *bodies) (*bus.Bus, []*bus.Ksock, error) {
	limits := &c.Limits
	if c.Resume != nil {
		if c.Resume.Engine == nil || c.Resume.Engine.Bus == nil {
			return nil, nil, errBadState
		}
		return bus.FromState(c.Resume.Engine.Bus, bus.Config{Limits: limits.forBus(), Keeper: bodies.keeper()})
	}
	return bus.New(bus.Config{
		MaxMessageBytes:    uint32(limits.MessageBytes),
		AbsMaxMessageBytes: uint32(limits.MessageBytesCeiling),
		MaxMessages:        uint32(limits.QueueMessages),
		MaxSetAside:        limits.SetAside,
		MaxHeld:            limits.HeldRequests,
		Limits:             limits.forBus(),
		Incarnation:        newIncarnation(),
		Keeper:             bodies.keeper(),
	}), nil, nil
}

var errBadState = errors.New("the state of a bus does not fit together")

// resume gives a new loop the connections of a state.
func resume(l *Loop, config *Config, ksocks []*bus.Ksock) (err error) {
	s, d := config.Resume.State, &Descriptors{config.Resume.Descriptors}
	l.lastReporter, l.listener.refused, l.movedIn = s.LastReporter, s.Refused, config.Resume.MovedIn
	if l.alarm = d.at(s.Alarm, &err); l.alarm >= 0 && err == nil {
		err = l.control(unix.EPOLL_CTL_ADD, l.alarm, unix.EPOLLIN, 0)
	}
	conns := make([]*ConnState, len(s.Engine.Sessions))
	for i := range s.Conns {
		c := &s.Conns[i]
		if c.Session < 0 || c.Session >= len(conns) || conns[c.Session] != nil {
			return errBadState
		}
		conns[c.Session] = c
	}
	if err != nil || len(s.Conns) != len(conns) {
		return errors.Join(err, errBadState)
	}
	sessions, err := session.Restore(l.engine, s.Engine, ksocks, func(at int) session.Judge {
		return &rules.Judge{Who: conns[at].Identity}
	})
	if err != nil {
		return err
	}
	for i, of := range sessions {
		if err := resumeConn(l, conns[i], &s.Engine.Sessions[i], of, d); err != nil {
			return fmt.Errorf("a connection of process %d: %w", s.Engine.Sessions[i].Peer.PID, err)
		}
	}
	if s.Device != nil {
		if err := resumeDevice(l, config.Device, s.Device, d, ksocks); err != nil {
			return err
		}
	}
	for _, k := range ksocks {
		if k.Tag == nil {
			return errBadState
		}
	}
	return nil
}

func resumeConn(l *Loop, s *ConnState, of *session.SessionState, its *session.Session, d *Descriptors) (err error) {
	l.generation++
	c := &conn{
		socket: socket{
			fd: d.at(s.Socket, &err), generation: l.generation, events: unix.EPOLLIN, blocked: s.Blocked && s.Rings == nil,
			deaf: of.Client.Deaf,
		},
		peer: session.PeerOf(its), user: l.accounts.user(of.Peer.UID), session: its, logged: s.Logged,
	}
	if err != nil || c.fd < 0 {
		return errors.Join(err, errBadState)
	}
	l.accounts.connect(c.user)
	its.Tag = c
	l.own(c.fd, c)
	if len(s.Rest) > 0 {
		c.rest = append(l.input.take(len(s.Rest)), s.Rest...)
	}
	if err = l.control(unix.EPOLL_CTL_ADD, c.fd, c.events, c.generation); err != nil {
		return err
	}
	if s.Rings != nil {
		if err = resumeRings(l, c, s.Rings, d); err != nil {
			return err
		}
	}
	if judge := c.peer.Judge.(*rules.Judge); !l.ruling.none() {
		if judge.Who != nil {
			l.ruling.judge(l, judge, *judge.Who, c.peer.PID)
		} else {
			l.ruling.judgeConn(l, c)
		}
	}
	c.resumed = true
	l.resumed.push(c)
	c.held = c.holds()
	l.accounts.carryOver(c.user, c.held)
	return nil
}

// resumedPerTurn is how many of the connections that were taken over get their first turn in one turn of the loop.
const resumedPerTurn = 4

// resumeSome gives some of them theirs.
func resumeSome(l *Loop) {
	for n := 0; n < resumedPerTurn && l.resumed.len() > 0; n++ {
		c := l.resumed.pop()
		if c.resumed && !c.ended && !c.putOff && !c.unfinished {
			l.turn(c, true)
		}
	}
}

// movedPerTurn is how many bytes of messages are copied in a turn of the loop, until none lie in the state any more.
const movedPerTurn = 64 << 10

// moveIn copies some of them.
func moveIn(l *Loop) {
	if l.movedIn == nil {
		return
	}
	if bus.MoveIn(l.bus, movedPerTurn); !bus.Borrows(l.bus) {
		l.movedIn()
		l.movedIn = nil
	}
}

// comeBack is for one that has its first turn: from now on it is as it was before.
func comeBack(c *conn) {
	c.resumed = false
	if c.rings != nil && c.rings.begun {
		c.session.SetWindow(c.rings.window)
		session.Refresh(c.session)
	}
}

func resumeRings(l *Loop, c *conn, s *RingsState, d *Descriptors) (err error) {
	r := &rings{
		handles: handles{
			bell: d.at(s.Bell, &err), theirs: d.at(s.Theirs, &err), hearing: d.at(s.Hears, &err), share: d.at(s.Memory, &err),
			introduced: s.Introduced,
		},
		arena: s.Arena && !s.Introduced, changed: s.Changed, begun: s.Begun, closed: s.Closed,
	}
	if err != nil || r.bell < 0 || r.share < 0 || r.arena && l.bodies == nil {
		return errors.Join(err, errBadState)
	}
	var front *ring.Window
	if r.segment, r.reader, r.writer, front, err = ring.Resume(r.share, &s.Ring); err != nil {
		return err
	}
	if r.arena {
		front.UseArena(l.bodies.arena, l.bodies.mostHeld())
	}
	r.window = &window{loop: l, conn: c, ring: front, wanting: s.Want}
	c.rings = r
	l.own(r.bell, c)
	return l.control(unix.EPOLL_CTL_ADD, r.bell, unix.EPOLLIN|unix.EPOLLET, c.generation)
}

// Own has the loop take the file of its socket away at its end, if there is one, and its device. It is for one that has taken over
// and does not run yet.
func Own(l *Loop, s *State, remove func()) {
	l.listener.Remove = remove
	if l.device != nil {
		l.device.Own(s.Device)
	}
}

// ListenerOf is the descriptor of its socket.
func ListenerOf(l *Loop) int { return l.listener.FD }

// newIncarnation tells the bus from all that were and will be here: any number but 0.
func newIncarnation() uint32 {
	var b [4]byte
	_, _ = unix.Getrandom(b[:], 0) // it cannot fail for so few
	return max(1, binary.NativeEndian.Uint32(b[:]))
}
