package parts

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

func long(member uint32, n int, fill byte) *envelope.Envelope {
	return &envelope.Envelope{Kind: envelope.Broadcast, Member: member, Epoch: 5, Message: message.Message{Name: "$.Long",
		Data: bytes.Repeat([]byte{fill}, n)}}
}

func cut(t interface{ Fatal(...any) }, c *Cutter, e *envelope.Envelope) (parts []*envelope.Envelope) {
	err := c.Cut(e, e.Append(nil), func(b []byte) error {
		if len(b) > Most {
			t.Fatal(len(b), "bytes in a part")
		}
		p, err := envelope.Parse(bytes.Clone(b))
		parts = append(parts, &p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// Whatever is lost, doubled or begun anew on the way, and however members are mixed: what comes out is whole, was sent, and
// is in the order of its member; and if nothing was lost in a row it does come out.
func TestAnythingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 40000
		c := NewCollector(most)
		cutters := map[uint32]*Cutter{1: {}, 2: {}, 3: {}}
		queues := map[uint32][]*envelope.Envelope{}
		intact := map[uint32][]int{} // lengths that must come out
		for i := range rapid.IntRange(1, 8).Draw(t, "envelopes") {
			member := rapid.Uint32Range(1, 3).Draw(t, "bowl")
			n := rapid.IntRange(Most, most-200).Draw(t, "bytes")
			parts := cut(t, cutters[member], long(member, n, byte(i)))
			switch gone := rapid.IntRange(-1, len(parts)-1).Draw(t, "gone"); {
			case gone < 0:
				intact[member] = append(intact[member], n)
			case rapid.Bool().Draw(t, "doubled"):
				parts = append(parts[:gone+1], parts[gone:]...)
				if gone == 0 { // the row begins again, and that is as good
					intact[member] = append(intact[member], n)
				} else if gone == len(parts)-2 { // it was whole already
					intact[member] = append(intact[member], n)
				}
			default:
				parts = append(parts[:gone], parts[gone+1:]...)
			}
			queues[member] = append(queues[member], parts...)
		}
		got := map[uint32][]int{}
		for len(queues[1])+len(queues[2])+len(queues[3]) > 0 {
			member := rapid.Uint32Range(1, 3).Draw(t, "next")
			if len(queues[member]) == 0 {
				continue
			}
			p := queues[member][0]
			queues[member] = queues[member][1:]
			whole, err := c.Add(p)
			if err != nil {
				t.Fatal(err)
			}
			if whole == nil {
				continue
			}
			e, err := envelope.Parse(whole)
			if err != nil || e.Member != member || bytes.Count(e.Data, e.Data[:1]) != len(e.Data) {
				t.Fatalf("spoilt: %v", err)
			}
			got[member] = append(got[member], len(e.Data))
		}
		if fmt.Sprint(got) != fmt.Sprint(intact) {
			t.Fatalf("whole came %v, and %v were not harmed", got, intact)
		}
		if n := c.Held(); n > 3*most {
			t.Fatalf("%d bytes are held", n)
		}
	})
}

// One that is longer than it may be is told when it is over, with its beginning, and takes no room.
func TestTooLong(t *testing.T) {
	c := NewCollector(10000)
	parts := cut(t, &Cutter{}, long(1, 50000, 7))
	for i, p := range parts {
		b, err := c.Add(p)
		if c.Held() > Most {
			t.Fatalf("%d bytes are held", c.Held())
		}
		if i < len(parts)-1 {
			if b != nil || err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			continue
		}
		var tooLong *TooLong
		if !errors.As(err, &tooLong) || tooLong.Most != 10000 || tooLong.Bytes < 50000 {
			t.Fatal(err)
		}
		if e, err := envelope.ParseBeginning(b); err != nil || e.Name != "$.Long" || e.Data != nil {
			t.Errorf("%v %v", e, err)
		}
	}
	if c.Held() != 0 {
		t.Errorf("%d bytes are left", c.Held())
	}
}

// What lies about itself is dropped, and no memory is had for a promise.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		lie  func(*envelope.Envelope)
		word string
	}{
		{func(p *envelope.Envelope) { p.Extra = 10 }, "longer than they say"},
		{func(p *envelope.Envelope) { p.Data = nil }, "empty"},
	} {
		p := cut(t, &Cutter{}, long(1, 9000, 1))[0]
		c.lie(p)
		collector := NewCollector(10000)
		if _, err := collector.Add(p); err == nil || !strings.Contains(err.Error(), c.word) || collector.Held() != 0 {
			t.Errorf("%v, %d held; want something about %q", err, collector.Held(), c.word)
		}
	}
	full := NewCollector(10000)
	full.room = 10 * Most
	for member := range uint32(20) {
		_, err := full.Add(cut(t, &Cutter{}, long(member+1, 9000, 1))[0])
		if (err != nil) != (member >= 10) || full.Held() > full.room {
			t.Errorf("bowl %d: %v, %d held", member, err, full.Held())
		}
	}
}

func BenchmarkMebibyte(b *testing.B) {
	e := long(1, 1<<20, 1)
	whole, cutter, collector := e.Append(nil), Cutter{}, NewCollector(2<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		_ = cutter.Cut(e, whole, func(part []byte) error {
			p, _ := envelope.Parse(part)
			_, err := collector.Add(&p)
			return err
		})
	}
}
