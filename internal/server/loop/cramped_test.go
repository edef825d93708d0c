package loop

import "testing"

// A user with many connections has large rings for as many as it pays, and small ones for more.
func TestSmallRings(t *testing.T) {
	const rings, clients = 256 << 10, 16
	b := start(t, func(c *Config) {
		c.RingBytes, c.ArenaBytes = rings, 0
		c.Limits.UserBufferBytes = 6 << 20
	})
	large, small := 0, 0
	for range clients {
		b.openRings()
	}
	b.on(func(l *Loop) {
		for fd, c := range l.conns {
			switch {
			case c == nil || c.fd != fd || c.rings == nil:
			case c.rings.bytes() > 3*rings:
				large++
			case c.rings.bytes() < 4*SmallRing:
				small++
			}
		}
	})
	if large != 4 || small != clients-large {
		t.Errorf("of %d connections %d have large rings and %d small ones", clients, large, small)
	}
}
