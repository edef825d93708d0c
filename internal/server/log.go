package server

import (
	"kbus/internal/bus"
	"kbus/internal/ring"
	"kbus/internal/wire"
	"kbus/message"
)

// The data of large messages lies in the log of their bus (ring.Log), once for all who get it. The bus asks for a place
// when it stores a message (bus.Keeper). When there is none, that message is kept and sent as it would be without a
// log, and before the next one whoever has most there unread has it moved away: so a slow reader keeps the log from
// the others for the time of one turn.

// sharedFrom is from how many bytes, counted once for each recipient, a body goes into the log. Below it, to copy it
// costs less than to have its readers touch one more piece of memory.
const sharedFrom = 32 << 10

// leastBody is the least that is worth a page of the log.
const leastBody = 1 << 10

// bodies is the log of one bus.
type bodies struct {
	log       *ring.Log
	ringBytes int
	short     bool // there was no room
}

// makeBodies makes the log of a bus; nil if there is to be none, or the system has none to give.
func (s *Server) makeBodies(number int) *bodies {
	if s.config.LogBytes == 0 || s.config.RingBytes == 0 {
		return nil
	}
	log, err := ring.CreateLog(int(s.config.LogBytes))
	if err != nil {
		s.log.Warn("no shared log", "bus", number, "reason", err)
		return nil
	}
	return &bodies{log: log, ringBytes: int(s.config.RingBytes)}
}

// keeper is what the bus knows of it.
func (b *bodies) keeper() bus.Keeper {
	if b == nil {
		return nil
	}
	return b
}

func (b *bodies) close() {
	if b != nil {
		b.log.Close()
	}
}

// Keep is for bus.Keeper.
func (b *bodies) Keep(data []byte, recipients int) []byte {
	if len(data) < leastBody || len(data)*recipients < sharedFrom && len(data) < b.ringBytes/4 {
		return nil
	}
	kept := b.log.Keep(data)
	if kept == nil {
		b.short = true
	}
	return kept
}

// Release is for bus.Keeper.
func (b *bodies) Release(kept []byte) {
	at, _ := b.log.Place(kept)
	b.log.LetGo(at)
}

// place says where in the log data lies, if it does and the client can look there.
func (b *bodies) place(c *conn, data []byte) (at uint32, ok bool) {
	if b == nil || !c.rings.log {
		return 0, false
	}
	return b.log.Place(data)
}

// mostHeld is how much of the log one client may keep from others by not releasing what it has been shown.
func (b *bodies) mostHeld() int { return b.log.Bytes() / 4 }

// makeRoom is for a log that has had no room: first what clients have finished with since we last looked, and if that
// is not a quarter of it, what lies in the longest queue.
func (l *loop) makeRoom() {
	b := l.bodies
	b.short = false
	for range l.bus.Ksocks() { // settles them
	}
	for _, c := range l.conns {
		if c != nil && c.rings != nil {
			c.rings.window.ring.FreeBodies()
		}
	}
	if b.log.Free() < b.log.Bytes()/4 {
		l.bus.MoveOut(b.log.Bytes() / 8)
	}
}

// showBody is Show for a message whose data lies in the log.
func (w *window) showBody(at uint32, h *message.Header, name []byte, dataLen int) bool {
	p := w.ring.StageBody(wire.ReferenceBytes(len(name)), at, dataLen)
	if p == nil {
		return false
	}
	wire.AppendReference(p[:0], h, name, dataLen, uint64(at))
	w.conn.rings.changed = true
	return true
}
