package recordings

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"sync"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/stage"
	"kbus.example/kbus/internal/recording"
)

// A message says who has sent it and which of theirs it is, so that one that is missing, twice or out of order is noticed.

const (
	senders   = 4
	listeners = 3
	syncEvery = 100 // messages of a Sender, before it waits until a Listener has heard them
	names     = "$.Rec.*"
	endName   = "$.Rec.End"
	syncName  = "$.Sync"
)

func messageOf(sender, number int) *kbus.Message {
	data := binary.LittleEndian.AppendUint32(nil, uint32(sender))
	data = binary.LittleEndian.AppendUint32(data, uint32(number))
	return kbus.Announcement(fmt.Sprintf("$.Rec.S%d", sender), string(data))
}

func parts(data []byte) (sender, number int, ok bool) {
	if len(data) != 8 {
		return 0, 0, false
	}
	sender, number = int(binary.LittleEndian.Uint32(data)), int(binary.LittleEndian.Uint32(data[4:]))
	return sender, number, sender < senders
}

// sequence is messages in an order, as one number: equal sequences have equal ones.
type sequence struct {
	messages int
	sum      uint64
}

var table = crc64.MakeTable(crc64.ECMA)

func (s *sequence) add(name string, data []byte) {
	s.messages++
	s.sum = crc64.Update(s.sum, table, []byte(name))
	s.sum = crc64.Update(s.sum, table, data)
}

// positions says where in the order of the bus each message of each Sender was.
type positions [senders][]uint32

// listen hears everything until the end, and answers who waits for that. It gives the sequence and, if wanted, the positions.
func listen(t *testing.T, k *kbus.Ksock, at *positions) (heard sequence) {
	m := &kbus.Message{}
	for {
		if err := k.ReceiveInto(t.Context(), m); err != nil {
			t.Error(err)
			return heard
		}
		switch {
		case m.WantsUsToReply():
			r, err := m.Reply(nil)
			if err == nil {
				_, err = k.Send(t.Context(), r)
			}
			if err != nil {
				t.Error(err)
				return heard
			}
			continue
		case m.Name == endName:
			return heard
		}
		if m.Missed > 0 {
			t.Errorf("a Listener has missed %d", m.Missed)
		}
		sender, number, ok := parts(m.Data)
		if !ok {
			t.Errorf("%v", m)
			return heard
		}
		if at != nil {
			if number != len(at[sender]) {
				t.Errorf("%d of Sender %d is heard after %d of them", number, sender, len(at[sender]))
			}
			at[sender] = append(at[sender], uint32(heard.messages))
		}
		heard.add(m.Name, m.Data)
	}
}

// send has all Senders send.
func send(t *testing.T, s *stage.Stage, messages int) {
	var all sync.WaitGroup
	for sender := range senders {
		k := open(t, s)
		all.Go(func() {
			for number := range messages*(sender+1)/senders - messages*sender/senders {
				if _, err := k.Send(t.Context(), messageOf(sender, number)); err != nil {
					t.Error(err)
					return
				}
				if number%syncEvery == syncEvery-1 {
					if _, err := k.Call(t.Context(), kbus.Request(syncName, "")); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
}

// check reads a recording: the sequence in it, and whether each gap is as long as it is said to be.
type checked struct {
	sequence
	lost, gaps uint64
	bytes      int64
}

func check(t *testing.T, file string, at *positions, total int) (c checked) {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	c.bytes = info.Size()
	r, _, err := recording.Open(f)
	must(t, err)
	next := uint64(0) // the position of the next message, if nothing is missing
	var e recording.Event
	for {
		if err = r.Next(&e); err != nil {
			break
		}
		if e.Missed > 0 {
			c.lost, c.gaps = c.lost+e.Missed, c.gaps+1
		}
		next += e.Missed
		if len(e.Name) == 0 { // it only tells of a loss
			continue
		}
		sender, number, ok := parts(e.Data)
		if !ok || number >= len(at[sender]) {
			t.Fatalf("%s: an event that nobody has sent: %+v", file, e)
		}
		if is := uint64(at[sender][number]); is != next {
			t.Fatalf("%s: message %d of the bus is where message %d should be, after a gap of %d", file, is, next, e.Missed)
		}
		next++
		c.add(string(e.Name), e.Data)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatalf("%s: %v", file, err)
	}
	if next != uint64(total) {
		t.Errorf("%s: %d messages and losses are told of, of %d", file, next, total)
	}
	return c
}
