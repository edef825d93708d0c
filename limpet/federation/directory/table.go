// Package directory is what a member knows of the federation's directory: which member holds which name, and which epoch
// each member is in. It is a copy that lags behind a little. It decides where a Request goes; it never decides which
// member owns a name, for which only a compare-and-swap will do.
package directory

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"kbus.example/kbus/message"
)

// Claim is a member's claim on a name, as the directory has it.
type Claim struct {
	Member   uint32 `json:"bowl"`
	Epoch    uint64 `json:"epoch"`
	Ksock    uint32 `json:"ksock"`             // the Replier, on its own bus
	Network  uint32 `json:"network,omitempty"` // where the Replier is, if that Ksock is its proxy
	Hops     uint32 `json:"hops,omitempty"`    // and how many buses from the member's own
	Revision uint64 `json:"-"`
}

// Of is where the Replier is as seen from another member: on which network, and how many buses away.
func (c *Claim) Of() message.Origin {
	if c.Network == 0 {
		return message.Origin{Network: c.Member, Local: 1}
	}
	return message.Origin{Network: c.Network, Local: c.Hops + 1}
}

// Member is the directory's entry of a member.
type Member struct {
	ID       uint32 `json:"bowl"`
	Epoch    uint64 `json:"epoch"`
	Over     bool   `json:"over,omitempty"` // that epoch has ended
	Where    string `json:"where,omitempty"`
	Version  string `json:"version,omitempty"`
	Revision uint64 `json:"-"`
}

// Marshal makes the bytes of a Claim or Member, as they are stored.
func Marshal[T Claim | Member](v T) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // both are plain structs
	}
	return b
}

// Table is the copy. The zero Table is not ready; use New. It is not safe for concurrent use.
type Table struct {
	claims  map[string]Claim
	members map[uint32]Member
	alive   int // of those
}

// New makes an empty Table.
func New() *Table { return &Table{claims: map[string]Claim{}, members: map[uint32]Member{}} }

// Set notes a claim on a name.
func (t *Table) Set(name string, c Claim) { t.claims[name] = c }

// Remove forgets it.
func (t *Table) Remove(name string) { delete(t.claims, name) }

// Claim is the claim on exactly that text.
func (t *Table) Claim(name string) (Claim, bool) {
	c, ok := t.claims[name]
	return c, ok
}

// Claims are all of them.
func (t *Table) Claims() iter.Seq2[string, Claim] { return maps.All(t.claims) }

// SetMember notes the entry of a member.
func (t *Table) SetMember(b Member) {
	if t.Alive(b.ID) {
		t.alive--
	}
	if !b.Over {
		t.alive++
	}
	t.members[b.ID] = b
}

// Member is what is known of a member.
func (t *Table) Member(id uint32) (Member, bool) {
	b, ok := t.members[id]
	return b, ok
}

// Members are all that were ever there.
func (t *Table) Members() iter.Seq[Member] { return maps.Values(t.members) }

// Population is how many members are alive, as far as is known.
func (t *Table) Population() int { return t.alive }

// Successors are the next n members after that id that are alive, by number and around, and those in between that are not.
func (t *Table) Successors(id uint32, n int) []Member {
	nearest := make([]uint32, 0, n+1) // distances; the id itself would be the farthest
	for _, b := range t.members {
		if d := b.ID - id - 1; !b.Over && (len(nearest) < n || d < nearest[n-1]) {
			i, _ := slices.BinarySearch(nearest, d)
			nearest = slices.Insert(nearest, i, d)[:min(len(nearest)+1, n)]
		}
	}
	far := ^uint32(0)
	if len(nearest) == n {
		far = nearest[n-1]
	}
	var next []Member
	for _, b := range t.members {
		if b.ID-id-1 <= far {
			next = append(next, b)
		}
	}
	slices.SortFunc(next, func(a, b Member) int { return cmp.Compare(a.ID-id-1, b.ID-id-1) })
	return next
}

// Over reports whether an epoch is known to have ended. That is never taken back.
func (t *Table) Over(member uint32, epoch uint64) bool {
	b, known := t.members[member]
	return known && (epoch < b.Epoch || epoch == b.Epoch && b.Over)
}

// Alive reports whether a network is a member whose epoch is not known to have ended.
func (t *Table) Alive(network uint32) bool {
	b, known := t.members[network]
	return known && !b.Over
}

// Lookup finds the claim that gets a Request of that name, as a bus does: the exact claim, then `%`, then `*`
// from the longest to the shortest.
func (t *Table) Lookup(name string) (Claim, bool) {
	if c, ok := t.claims[name]; ok {
		return c, true
	}
	var space [message.MaxNameBytes + 1]byte
	b := append(space[:0], name...)
	end := strings.LastIndexByte(name, '.') + 1
	b = append(b[:end], '%')
	if c, ok := t.claims[string(b)]; ok {
		return c, true
	}
	for ; end > 1; end = strings.LastIndexByte(name[:end-1], '.') + 1 {
		b = append(b[:end], '*')
		if c, ok := t.claims[string(b)]; ok {
			return c, true
		}
	}
	return Claim{}, false
}
