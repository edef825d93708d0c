package loop

import (
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rules"
)

// On a bus with rules each connection, and each descriptor of a device, has a rules.Judge, which the session and the bus
// ask. The Judge is made at the connect and stays; which law it goes by is found out then, and again when rules change.
// Without rules it has none, nobody asks it, and nothing about the client is found out.
//
// With rules nobody is let into the memory that all clients share (see grant), and nothing more is put there, for who
// looks into it already.

// ruling is what a loop has for that.
type ruling struct {
	laws                  *rules.Laws
	programs              programs
	asksProgram, asksUnit bool // some rule does
	visitors              map[*visitor]bool
}

func newRuling(set *rules.Set) ruling {
	if set == nil {
		set = &rules.Set{}
	}
	r := ruling{laws: rules.NewLaws(set), programs: newPrograms(set), visitors: map[*visitor]bool{}}
	for i := range set.Rules {
		r.asksProgram = r.asksProgram || len(set.Rules[i].Programs) > 0
		r.asksUnit = r.asksUnit || len(set.Rules[i].Units) > 0
	}
	return r
}

// none reports that there are no rules.
func (r *ruling) none() bool { return r.laws.None() }

// judge has a Judge go by the law for an identity.
func (r *ruling) judge(l *Loop, j *rules.Judge, who rules.Identity, pid uint32) {
	uid := who.UID
	j.Who = &who
	j.Use(r.laws.For(&who), func(no rules.Refusal) {
		l.report(logger.LevelWarn, pid, uid, "denied", logger.String("operation", no.Operation.String()), logger.String("rule", no.Position()))
	})
}

// judgeConn is judge for a connection.
func (r *ruling) judgeConn(l *Loop, c *conn) {
	j := c.peer.Judge.(*rules.Judge)
	if r.none() {
		j.Who = nil
		j.Use(nil, nil)
		return
	}
	r.judge(l, j, r.identify(c.fd, c.peer.PID, c.peer.UID, c.peer.GID), c.peer.PID)
}

// judgeVisitor is judge for a descriptor of a device. The kernel has no pidfd of who opened it, so program and control
// group are not known.
func (r *ruling) judgeVisitor(v *visitor) {
	j := v.owner.Judge.(*rules.Judge)
	if r.none() {
		j.Use(nil, nil)
		return
	}
	r.judge(v.loop, j, rules.Identity{UID: v.owner.UID, Groups: append([]uint32{v.owner.GID}, v.groups...)}, v.owner.PID)
}

// SetRules changes the rules, for what is connected too, all at once.
func (l *Loop) SetRules(set *rules.Set) {
	visitors := l.ruling.visitors
	l.ruling = newRuling(set)
	l.ruling.visitors = visitors
	for fd, c := range l.conns {
		if c != nil && c.fd == fd {
			l.ruling.judgeConn(l, c)
		}
	}
	for v := range visitors {
		l.ruling.judgeVisitor(v)
	}
	l.bodies.setClosed(!l.ruling.none())
	for _, lost := range l.bus.SetRuled(!l.ruling.none()) {
		o := lost.Ksock.Owner()
		l.report(logger.LevelWarn, o.PID, o.UID, "a Replier has lost its name by new rules", logger.Int64("ksock", int64(lost.Ksock.ID())))
	}
	l.bus.Worked() // which is no work of the client whose turn comes next
	l.wakeOthers()
}
