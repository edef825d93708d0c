package process

import (
	"context"
	"encoding/binary"
	"testing"

	"kbus.example/kbus"
)

const (
	largeName  = "$.Large"
	largeRound = 100 // messages
)

// largeBytes is the size of message n: most are some 64 KiB, and some are small.
func largeBytes(n int) int {
	if n%10 == 9 {
		return 64
	}
	return 60_000 + n%7*2000
}

// largeBody makes message n in b: its number everywhere.
func largeBody(b []byte, n int) []byte {
	b = b[:largeBytes(n)]
	for at := 0; at+4 <= len(b); at += 4 {
		binary.LittleEndian.PutUint32(b[at:], uint32(n*1000+at))
	}
	return b
}

// largeHearer hears large messages, with the queue limit args[0]: half of them where they lie, half copied. Told a round,
// it checks its messages, and says how many came.
func largeHearer(p *part) {
	k := p.open()
	_, err := k.Queue().SetLimit(context.Background(), uint32(p.number(0)))
	p.must(err)
	p.must(k.Bind(context.Background(), largeName, kbus.Listener))
	var m kbus.Message
	want := make([]byte, 1<<17)
	for p.say(ready{}); ; {
		n, count := -1, 0
		check := func(m *kbus.Message) error {
			first := int(binary.LittleEndian.Uint32(m.Data)) / 1000
			if first <= n {
				p.fail("heard", first, "after", n)
			}
			if n = first; string(m.Data) != string(largeBody(want, n)) {
				p.fail("message", n, "is spoilt")
			}
			count++
			return nil
		}
		p.await()
		for left := largeRound; left > 0; left-- {
			if left%2 == 0 {
				p.must(k.InPlace(context.Background(), check))
			} else {
				p.must(k.ReceiveInto(context.Background(), &m))
				p.must(check(&m))
			}
		}
		p.say(count)
	}
}

// Eight processes hear large messages. One stands still, with room in its queue for more than the daemon's log can hold:
// the others miss nothing and are not kept waiting, the sender is told what the one misses, and that one gets the rest.
// Then it dies with messages unread, and nobody notices.
func TestLargeMessages(t *testing.T) {
	const rounds, room = 10, 600
	d := startDaemon(t)
	d.rings = true
	sender, o, ctx := d.open(), d.observe(), patient(t)
	var lively []*actor
	for range 7 {
		lively = append(lively, d.cast("largeHearer", 1000))
	}
	stopped := d.cast("largeHearer", room)
	for _, a := range append(lively, stopped) {
		hear[ready](a)
	}
	buffer := make([]byte, 1<<17)
	number, skipped := 0, 0
	round := func(listeners uint32) {
		t.Helper()
		for _, a := range lively {
			a.cue("round")
		}
		for range largeRound {
			sent, err := sender.Send(ctx, kbus.Announcement(largeName, largeBody(buffer, number)))
			must(t, err)
			if sent.Reached+sent.Skipped != listeners || sent.Skipped > 1 {
				t.Fatalf("message %d: reached %d, skipped %d", number, sent.Reached, sent.Skipped)
			}
			skipped += int(sent.Skipped)
			number++
		}
		for _, a := range lively {
			hear[int](a)
		}
	}
	stopped.stop()
	for range rounds {
		round(8)
	}
	if skipped != rounds*largeRound-room {
		t.Errorf("%d messages were skipped; there was room for %d of %d", skipped, room, rounds*largeRound)
	}
	full := d.memory()
	stopped.resume()
	for range room / largeRound {
		stopped.cue("round")
		hear[int](stopped)
	}
	stopped.stop()
	round(8)
	stopped.kill()
	eventually(t, o, func(i kbus.BusInfo) bool { return i.Ksocks == 8 })
	round(7)
	publish(t, "memory of the daemon with 600 large messages unread", "%v", full)
}
