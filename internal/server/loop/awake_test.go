package loop

import (
	"sync/atomic"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// While the loop is at work the peers that it served last need not ring, and before it sleeps it looks what they have put
// into their rings. The work here is a job, so that it lasts as long as the test wants.
func TestPeersAreKeptAwake(t *testing.T) {
	b := start(t, nil)
	peers := []*rawclient.Client{b.openRings(), b.openRings(), b.openRings()}
	asleep := func(c *rawclient.Client) *uint32 { return c.Rings.Word(rawclient.UpAsleep) }
	for _, c := range peers {
		c.Must(wire.OpNumMessages, 0, nil)
	}
	for range 50 {
		b.on(func(*Loop) {
			for i, c := range peers {
				if atomic.LoadUint32(asleep(c)) != 0 {
					t.Errorf("peer %d must ring although we are at work", i)
				}
				c.Rings.Append(frame(wire.OpNumMessages, 7, 0, nil))
				c.Rings.Announce() // it rings only if it finds us asleep
			}
		})
		for _, c := range peers {
			if f := c.Next(); f.Op != wire.OpNumMessages || f.Seq != 7 {
				t.Fatalf("%+v", f)
			}
		}
	}
}

// No more than a few are: with the next one, the first must ring again.
func TestNotManyAreKeptAwake(t *testing.T) {
	b := start(t, nil)
	var peers []*rawclient.Client
	for range keptAwake + 1 {
		c := b.openRings()
		c.Must(wire.OpNumMessages, 0, nil)
		peers = append(peers, c)
	}
	answered := peers[0].Must(wire.OpNumMessages, 0, nil) // has the last one's place; nobody is forgotten awake
	if answered.Op != wire.OpNumMessages {
		t.Errorf("%+v", answered)
	}
	b.on(func(l *Loop) {
		awake := 0
		for _, c := range peers {
			if atomic.LoadUint32(c.Rings.Word(rawclient.UpAsleep)) == 0 {
				awake++
			}
		}
		if awake != keptAwake {
			t.Errorf("%d are kept awake", awake)
		}
	})
	for _, c := range peers {
		c.Close()
	}
	b.buried()
	b.on(func(l *Loop) {
		if l.recent.conns != [keptAwake]*conn{} {
			t.Error("some that have gone are kept awake")
		}
	})
}
