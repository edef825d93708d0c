// Package leasekeeper keeps the lease by which a member is the one that has its id: while it is refreshed no other can take it,
// so a second member with that id is refused. How long a lease may be trusted is for package lease to decide; here it is
// taken, refreshed and handed back, in a bucket that all members share.
//
//	take.go  taking it: from nobody, from an earlier life of ours, or from a member that has been silent for too long
//	keep.go  refreshing it, and finding out that it is ours no more
//
// Trying until it succeeds, and what no waiting will mend, is package retry.
package leasekeeper

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/lease"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// Now is the clock of leases: it goes on while the machine sleeps, as those of other machines do.
func Now() time.Time { return time.Unix(0, int64(kbus.Bridge{}.SinceBoot())) }

// Record is a lease as it is stored.
type Record struct {
	Member uint32 `json:"bowl"`
	Epoch  uint64 `json:"epoch"`
	Over   bool   `json:"over,omitempty"` // ended, by its member or by the one that evicted it
	Where  string `json:"where,omitempty"`
	Start  int64  `json:"start,omitempty"` // of this refresh, in milliseconds by the clock of its member
}

// Sight is what a watcher sees of a lease at that revision.
func (t Record) Sight(revision uint64) lease.Sight {
	return lease.Sight{Revision: revision, Epoch: t.Epoch, Start: time.Duration(t.Start) * time.Millisecond}
}

// Bytes are what is stored.
func (t Record) Bytes() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // a plain struct of ours
	}
	return b
}

// bucket of the leases; names of buckets have no dots.
func bucket(federation string) string { return "kb_" + federation + "_leases" }

// Open opens the bucket of a federation's leases, and makes it first if need be.
func Open(ctx context.Context, nc store.NATS, federation string, replicas int) (*store.Bucket, error) {
	space, err := subject.New(federation)
	if err != nil {
		return nil, err
	}
	return store.OpenBucket(ctx, nc, bucket(federation), space.Changes("leases"), replicas)
}

// Config is what a Keeper must know.
type Config struct {
	Leases     *store.Bucket
	Key        string // of the lease among them
	Federation string
	Member     uint32
	Where      string // which bus of which machine this is, to know it again

	// Members, if not nil, counts the members that refresh leases.
	Members func() int

	// Renewed, if not nil, is called at each refresh that has succeeded, the first one too, with when the lease ends.
	Renewed func(until time.Time) error
}

// Keeper is the lease of one member.
type Keeper struct {
	Config
	now func() time.Time

	watch lease.Watch // on its present holder, while we want it
	first uint64      // revision that it had when we looked first

	vouched atomic.Int64 // until when: for those that ask at each message
	touched atomic.Int64 // until when the quorum counts as in touch

	mu     sync.Mutex
	holder lease.Holder
	epoch  uint64
}

// New makes one that holds nothing yet.
func New(c Config) *Keeper { return &Keeper{Config: c, now: Now} }

// Epoch is the epoch that has begun when the lease was taken, 0 before.
func (k *Keeper) Epoch() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.epoch
}

// Until is when the member may no longer act for what it holds, unless the lease is refreshed before.
func (k *Keeper) Until() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.holder.Until()
}

// Left is how long that is from now.
func (k *Keeper) Left() time.Duration { return k.Until().Sub(k.now()) }

// Vouches reports whether the lease is sure to be ours still.
func (k *Keeper) Vouches() bool { return k.now().UnixNano() < k.vouched.Load() }

// InTouch reports whether the quorum has answered of late.
func (k *Keeper) InTouch() bool { return k.now().UnixNano() < k.touched.Load() }
