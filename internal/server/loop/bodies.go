package loop

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The data of large messages lies in the arena of their bus (ring.Arena), once for all who get it. The bus asks for a place
// when it stores a message (bus.Keeper). When there is none, that message is kept and sent as it would be without a
// log, and before the next one whoever has most there unread has it moved away: so a slow reader keeps the arena from
// the others for the time of one turn.

// sharedFrom is from how many bytes, counted once for each recipient, a body goes into the arena. Below it, to copy it
// costs less than to have its readers touch one more piece of memory.
const sharedFrom = 32 << 10

// leastBody is the least that is worth a page of the arena.
const leastBody = 1 << 10

// bodies is the arena of one bus.
type bodies struct {
	arena     *ring.Arena
	ringBytes int  // of the smallest rings
	short     bool // there was no room
	closed    bool // nothing more goes there, and nobody is let in
}

// setClosed closes the arena, or opens it again.
func (b *bodies) setClosed(closed bool) {
	if b != nil {
		b.closed = closed
	}
}

// makeBodies makes the arena of a bus; nil if there is to be none, or the system has none to give.
func makeBodies(c *Config) *bodies {
	if c.ArenaBytes == 0 || c.RingBytes == 0 {
		return nil
	}
	log, err := ring.CreateArena(int(c.ArenaBytes))
	if err != nil {
		c.Log.Warn("no shared log", "reason", err)
		return nil
	}
	return &bodies{arena: log, ringBytes: int(min(c.RingBytes, SmallRing))}
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
		b.arena.Close()
	}
}

// Keep is for bus.Keeper.
func (b *bodies) Keep(data []byte, recipients int) []byte {
	if b.closed || len(data) < leastBody || len(data)*recipients < sharedFrom && len(data) < b.ringBytes/4 {
		return nil
	}
	kept := b.arena.Store(data)
	if kept == nil {
		b.short = true
	}
	return kept
}

// Release is for bus.Keeper.
func (b *bodies) Release(kept []byte) {
	at, _ := b.arena.Offset(kept)
	b.arena.Release(at)
}

// place says where in the arena data lies, if it does and the client can look there.
func (b *bodies) offset(c *conn, data []byte) (at uint32, ok bool) {
	if b == nil || !c.rings.arena {
		return 0, false
	}
	return b.arena.Offset(data)
}

// mostHeld is how much of the arena one client may keep from others by not releasing what it has been shown.
func (b *bodies) mostHeld() int { return b.arena.Bytes() / 4 }

// makeRoom is for an arena that has had no room: first what clients have finished with since we last looked, and if that
// is not a quarter of it, what lies in the longest queue.
func (l *Loop) makeRoom() {
	b := l.bodies
	b.short = false
	for range l.bus.Ksocks() { // syncs their windows
	}
	for _, c := range l.conns {
		if c != nil && c.rings != nil {
			c.rings.window.ring.FreeBodies()
		}
	}
	if b.arena.Free() < b.arena.Bytes()/4 {
		l.bus.MoveOut(b.arena.Bytes() / 8)
	}
}

// showBody is Show for a message whose data lies in the arena.
func (w *window) showBody(at uint32, h *message.Header, name []byte, dataLen int, f *wire.Following) bool {
	p := w.ring.StageBody(wire.ReferenceBytes(len(name), f), at, dataLen)
	if p == nil {
		return false
	}
	wire.AppendReference(p[:0], h, name, dataLen, f, uint64(at))
	w.conn.rings.changed = true
	return true
}
