package claims

import (
	"encoding/json"
	"errors"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// A claim is made by compare-and-swap in the directory: that alone decides which member has a name.

// attempts is how often a swap is tried anew because the entry has changed.
const attempts = 5

// claim makes a name ours in the directory, and returns the revision of the claim. It swaps until it succeeds, or has
// read that another member holds the name whose epoch is not proved over. Repliers of other members are for these to
// claim, and not for a pair that joins us to one of them.
func (c *Claims) claim(name string, ksock kbus.KsockID, of kbus.Origin) (revision uint64, verdict kbus.Condition) {
	if !c.InTouch() {
		return 0, kbus.ErrNoFederation
	}
	key := subject.Claim(name)
	value := directory.Marshal(directory.Claim{
		Member: c.Self.Member, Epoch: c.Self.Epoch, Ksock: uint32(ksock), Network: of.Network, Hops: of.Local,
	})
	if c.Mirror.Alive(of.Network) {
		return 0, kbus.ErrReplierBound
	}
	c.mu.Lock()
	if h := c.held[name]; h != nil {
		revision = h.revision
	}
	c.mu.Unlock()
	for range attempts {
		made, err := c.Mirror.Names.Swap(c.ctx, key, value, revision)
		if err == nil {
			return made, 0
		}
		if !errors.Is(err, store.ErrChanged) {
			return 0, kbus.ErrNoFederation
		}
		e, err := c.Mirror.Names.Read(c.ctx, key)
		if err != nil && !errors.Is(err, store.ErrNone) {
			return 0, kbus.ErrNoFederation
		}
		if err == nil && !e.Deleted && c.isOthers(e.Value) {
			return 0, kbus.ErrReplierBound
		}
		revision = e.Revision
	}
	return 0, kbus.ErrReplierBound
}

// isOthers reports whether an entry is the claim of another member in an epoch that goes on, or cannot be read.
func (c *Claims) isOthers(entry []byte) bool {
	var other directory.Claim
	return json.Unmarshal(entry, &other) != nil ||
		other.Member != c.Self.Member && !c.Mirror.Over(c.ctx, other.Member, other.Epoch)
}
