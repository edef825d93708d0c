package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"syscall"

	"kbus.example/kbus/internal/wire"
)

// Attacks by the memory that a client shares with the daemon. They write where they should not, without regard to what
// lies there.

const ringFeatures = wire.FeatureRings | wire.FeatureArena

// rings is a Ksock with its segment mapped to read and write.
type rings struct {
	*raw
	segment []byte
}

func (a *attacker) rings() *rings {
	c := open(ringFeatures)
	if c == nil || len(c.fds) < 2 {
		fail("no rings for the attacker")
	}
	a.held = append(a.held, c)
	var st syscall.Stat_t
	check(syscall.Fstat(c.fds[0], &st))
	segment, err := syscall.Mmap(c.fds[0], 0, int(st.Size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	check(err)
	return &rings{c, segment}
}

// ring rings the daemon's bell.
func (r *rings) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	syscall.Write(r.fds[1], one[:])
}

var memoryAttacks = []attack{
	{name: "positions that cannot be", do: func(a *attacker) {
		a.ready("the connection ends")
		for {
			c := open(ringFeatures)
			if c == nil || len(c.fds) < 2 {
				continue
			}
			a.scribble(&rings{raw: c, segment: mapped(c)})
		}
	}},
	{name: "scribbling while the daemon reads", do: func(a *attacker) {
		r := a.rings()
		a.ready("all over the segment")
		for n := 0; ; n++ {
			rand.Read(r.segment[1024+n%(len(r.segment)-2048):][:512])
			r.ring()
		}
	}},
	{name: "ringing the daemon's bell without end", do: func(a *attacker) {
		r := a.rings()
		a.ready("for nothing")
		for {
			r.ring()
		}
	}},
	{name: "one's own bell made to block, and filled", do: func(a *attacker) {
		r := a.rings()
		filled := 0
		for _, fd := range r.fds[1:] {
			path := fmt.Sprintf("/proc/self/fd/%d", fd)
			for _, way := range []int{syscall.O_WRONLY | syscall.O_NONBLOCK, syscall.O_RDWR | syscall.O_NONBLOCK} {
				if f, err := syscall.Open(path, way, 0); err == nil {
					for n := 1; n > 0; filled++ {
						n, _ = syscall.Write(f, make([]byte, 4096))
					}
				}
			}
			if flags, _, e := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0); e == 0 {
				syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFL, flags&^syscall.O_NONBLOCK)
			}
		}
		for at := 64; at < 960; at += 64 { // says that it sleeps, wherever that is said
			binary.NativeEndian.PutUint32(r.segment[at:], 1)
		}
		a.ready("%d writes", filled)
		s := a.open()
		for {
			s.do(wire.OpSendMessage, 0, announce(newsName+"s", 10))
		}
	}},
	{name: "large messages held in the log", do: func(a *attacker) {
		for range 10 {
			open(ringFeatures)
		}
		s := a.open()
		s.unlimited()
		s.bind("$.Large", false)
		good, last := s.many(200, wire.OpSendMessage, 0, announce("$.Large", 64<<10))
		a.ready("%d kept, %s", good, named(last))
	}},
	{name: "a death with memory shared", dies: true, do: func(a *attacker) {
		for range 50 {
			if c := open(ringFeatures); c != nil {
				c.put(wire.OpReset, 0, nil)
			}
		}
		a.ready("fifty segments")
	}},
}

func mapped(c *raw) []byte {
	var st syscall.Stat_t
	check(syscall.Fstat(c.fds[0], &st))
	segment, err := syscall.Mmap(c.fds[0], 0, int(st.Size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	check(err)
	return segment
}

// scribble writes nonsense into the words of a segment, rings, and leaves.
func (a *attacker) scribble(r *rings) {
	for range 20 {
		var b [9]byte
		rand.Read(b[:])
		copy(r.segment[64+64*(int(b[8])%14):], b[:8])
		r.ring()
	}
	syscall.Munmap(r.segment)
	for _, fd := range r.fds {
		syscall.Close(fd)
	}
	r.Close()
}
