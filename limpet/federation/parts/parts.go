// Package parts carries long envelopes in parts that every NATS server takes.
//
// What a server takes at once is a setting of its own (max_payload). A member knows that of the server that it talks to,
// and of no other: a leaf node takes a message of 1 MiB and passes it on to a hub that takes 64 KiB; the hub closes the
// connection between the two, whatever else was on its way there is lost, and no error is returned. To find out by trying would
// do that harm each time. So nothing long is sent at all: an envelope of more than Most bytes goes in parts of that size,
// one after the other, to the subject of the whole. NATS keeps the order between two members, so all parts of a row come
// one after the other too, or some are lost; then the whole is lost, and its sender's count tells so as of any envelope.
//
// It is pure, and knows nothing of NATS.
package parts

import (
	"errors"
	"fmt"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// Most is how many bytes a message to NATS has at most. A server that takes less is of no use to a federation.
// Larger parts are hardly faster: messages of 60 KiB went from member to member at 350 MB/s in parts of 4096 bytes, and at 360
// to 570 in larger ones or whole.
const Most = 4096

// name is that of a part, which is no message of a bus.
const name = "$.KBUS.Federation.Part"

// overhead of a part.
const overhead = envelope.HeaderBytes + len(name)

// inEach is how much of the whole goes into a part.
const inEach = Most - overhead

// Cutter cuts the envelopes of one member. The zero value is ready.
type Cutter struct {
	row   uint64
	bytes []byte
}

// Cut calls send for each part of whole, which are the bytes of e. Send must not keep them.
func (c *Cutter) Cut(e *envelope.Envelope, whole []byte, send func([]byte) error) error {
	c.row++
	part := envelope.Envelope{
		Kind: envelope.Part, Member: e.Member, Epoch: e.Epoch, Count: c.row, Target: e.Target, TargetEpoch: e.TargetEpoch,
	}
	part.Name = name
	part.Extra = uint32(len(whole))
	for rest := whole; len(rest) > 0; part.ID.Serial++ {
		n := min(len(rest), inEach)
		part.Data, rest = rest[:n], rest[n:]
		c.bytes = part.Append(c.bytes[:0])
		if err := send(c.bytes); err != nil {
			return err
		}
	}
	return nil
}

// row is an envelope of which not all parts have come.
type row struct {
	epoch, number uint64
	total         uint32
	next          uint32 // the part that is due
	come          int    // bytes
	bytes         []byte // of them, or of the first part alone if the whole is too long
}

// Collector puts together what came in parts. A member sends one envelope after the other, so of each there is one at
// most that is not whole.
type Collector struct {
	most int // bytes that an envelope may have
	room int // bytes that all that are not whole may have together
	held int
	rows map[uint32]*row
}

// What may wait for the rest, of all members together: so many bytes, or so many of the longest envelopes.
const (
	room    = 64 << 20
	roomFor = 4
)

// NewCollector makes one for envelopes of that length at most.
func NewCollector(most int) *Collector {
	return &Collector{most: most, room: max(room, roomFor*most), rows: map[uint32]*row{}}
}

// Held is how many bytes wait for the rest.
func (c *Collector) Held() int { return c.held }

// TooLong is an envelope that is longer than it may be here.
type TooLong struct{ Bytes, Most int }

func (t *TooLong) Error() string {
	return fmt.Sprintf("%d bytes, and this bus takes no more than %d", t.Bytes, t.Most)
}

// Add takes a part. The bytes of the whole come with its last part, and are the caller's. With the last part of one that
// is too long the error is a *TooLong, and the bytes are those of the first part: the header, the name and some of the
// data. What does not follow what came before is dropped, and so is all of its row: some of it was lost.
func (c *Collector) Add(e *envelope.Envelope) ([]byte, error) {
	n, total := e.ID.Serial, e.Extra
	r := c.rows[e.Member]
	if n == 0 {
		c.drop(e.Member)
		r = &row{epoch: e.Epoch, number: e.Count, total: total}
		c.rows[e.Member] = r
	}
	if r == nil || r.epoch != e.Epoch || r.number != e.Count || r.total != total || r.next != n {
		c.drop(e.Member)
		return nil, nil
	}
	r.next++
	r.come += len(e.Data)
	tooLong := uint64(total) > uint64(c.most)
	if n == 0 || !tooLong {
		r.bytes = append(r.bytes, e.Data...)
		c.held += len(e.Data)
	}
	switch {
	case len(e.Data) == 0, uint64(r.come) > uint64(total):
		c.drop(e.Member)
		return nil, errors.New("parts that are together longer than they say, or empty")
	case c.held > c.room:
		c.drop(e.Member)
		return nil, fmt.Errorf("no room for more than %d bytes that are not whole", c.room)
	case uint64(r.come) < uint64(total):
		return nil, nil
	}
	c.drop(e.Member)
	if tooLong {
		return r.bytes, &TooLong{int(total), c.most}
	}
	return r.bytes, nil
}

func (c *Collector) drop(member uint32) {
	if r := c.rows[member]; r != nil {
		c.held -= len(r.bytes)
		delete(c.rows, member)
	}
}

// Fits is how much data a message of that name can have in an envelope of so many bytes.
func Fits(most int, m *message.Message) int { return max(0, most-envelope.HeaderBytes-len(m.Name)) }
