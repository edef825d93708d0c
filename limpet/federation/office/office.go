// Package office keeps the lease by which a bowl is the one that has its id: while it is refreshed no other can take it,
// so a second bowl with that id is refused. How long a lease may be trusted is for package lease to say; here it is
// taken, refreshed and handed back, in a bucket that all bowls share.
//
//	take.go     taking it: from nobody, from an earlier life of ours, or from who has been silent for too long
//	keep.go     refreshing it, and finding out that it is ours no more
//	refusal.go  what no waiting will mend, and trying until something does
package office

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// Now is the clock of leases: it goes on while the machine sleeps, as those of other machines do.
func Now() time.Time { return time.Unix(0, int64(kbus.SinceBoot())) }

// Tenancy is a lease as it is stored.
type Tenancy struct {
	Bowl  uint32 `json:"bowl"`
	Epoch uint64 `json:"epoch"`
	Over  bool   `json:"over,omitempty"` // ended, by its bowl or by who evicted it
	Where string `json:"where,omitempty"`
	Start int64  `json:"start,omitempty"` // of this refresh, in milliseconds by the clock of its bowl
}

// Sight is what a lease tells at that revision.
func (t Tenancy) Sight(revision uint64) lease.Sight {
	return lease.Sight{Revision: revision, Epoch: t.Epoch, Start: time.Duration(t.Start) * time.Millisecond}
}

func (t Tenancy) bytes() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // a plain struct of ours
	}
	return b
}

// bucket of the leases; names of buckets have no dots.
func bucket(federation string) string { return "kb_" + federation + "_leases" }

// Open opens the bucket of a federation's leases, and makes it first if need be.
func Open(ctx context.Context, nc *nats.Conn, federation string, replicas int) (*store.Store, error) {
	space, err := subject.New(federation)
	if err != nil {
		return nil, err
	}
	return store.OpenBucket(ctx, nc, bucket(federation), space.Changes("leases"), replicas)
}

// Config is what an Office must know.
type Config struct {
	Leases     *store.Store
	Key        string // of the lease among them
	Federation string
	Bowl       uint32
	Where      string // which bus of which machine this is, to know it again

	// Bowls, if not nil, tells how many bowls refresh leases.
	Bowls func() int

	// Renewed, if not nil, is called at each refresh that has succeeded, the first one too, with when the lease ends.
	Renewed func(until time.Time) error
}

// Office is the lease of one bowl.
type Office struct {
	Config
	now func() time.Time

	watch lease.Watch // of who holds it now, while we want it
	first uint64      // revision that it had when we looked first

	vouched atomic.Int64 // until when: the lease as those see it who ask all the time
	touched atomic.Int64 // until when the quorum counts as heard

	mu     sync.Mutex
	holder lease.Holder
	epoch  uint64
}

// New makes one that holds nothing yet.
func New(c Config) *Office { return &Office{Config: c, now: Now} }

// Epoch is the epoch that has begun when the lease was taken, 0 before.
func (o *Office) Epoch() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.epoch
}

// Until is when the bowl may no longer act for what it holds, unless the lease is refreshed before.
func (o *Office) Until() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder.Until()
}

// Left is how long that is from now.
func (o *Office) Left() time.Duration { return o.Until().Sub(o.now()) }

// Vouches tells whether the lease is sure to be ours still.
func (o *Office) Vouches() bool { return o.now().UnixNano() < o.vouched.Load() }

// InTouch tells whether the quorum has been heard of late.
func (o *Office) InTouch() bool { return o.now().UnixNano() < o.touched.Load() }
