// Package claims keeps the names that Repliers of our bus have in the directory. A Bind on our bus waits until the name is
// claimed there, so no two members have a Replier for one name.
//
//	claims.go     what happens to a name, each in its turn
//	binds.go      binds on our bus that wait for a claim
//	events.go     Repliers that have come and gone
//	directory.go  making a claim, by compare-and-swap
//	workers.go    the goroutines that do all that
package claims

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/limpet/federation/subject"
)

// Admission lets Repliers onto the bus. Its calls ask the bus, which answers at once.
type Admission interface {
	// Allow lets a bind go ahead. If these claims do not count any more the bind fails, and so does Allow.
	Allow(by *Claims, bind kbus.BindRequest) error
	// Refuse fails a bind.
	Refuse(bind kbus.BindRequest, why kbus.Condition)
	// Replier is the Ksock that is the Replier of exactly that name now, 0 for none.
	Replier(name string) (kbus.KsockID, error)
	// Evict unbinds a Replier. That it is not bound is no error.
	Evict(ksock kbus.KsockID, name string) error
}

// Config is what Claims work with.
type Config struct {
	Self      routing.Self
	Available bool // Repliers are kept while nobody can vouch for them
	Mirror    *mirror.Mirror
	Admission Admission
	InTouch   func() bool // whether the quorum has answered of late
	Fail      func(error) // ends the session
	Log       *slog.Logger
}

// Claims are the names that this session has claimed.
type Claims struct {
	Config
	ctx     context.Context // ends with the session
	workers workers

	mu   sync.Mutex // guards what follows, and is never held while anything waits
	held map[string]*holding
}

// holding is a name that we have claimed for a Ksock of our bus.
type holding struct {
	ksock    kbus.KsockID
	of       kbus.Origin // whose proxy it is, if it is one
	revision uint64      // of the claim
	awaited  int         // bind events that are still to come for Binds that we have allowed
	since    time.Time
}

// job is something that has happened to a name.
type job struct {
	do       func(*Claims, *job)
	name     string
	ksock    kbus.KsockID
	of       kbus.Origin      // whose proxy it is, if it is one
	bind     kbus.BindRequest // waits, if it has a name
	revision uint64
	at       time.Time
}

// New makes Claims that hold nothing, for a session that lasts as long as ctx.
func New(ctx context.Context, c Config) *Claims {
	held := map[string]*holding{}
	claims := &Claims{Config: c, ctx: ctx, held: held}
	claims.workers.init()
	return claims
}

// Held reports whether we have claimed that name.
func (c *Claims) Held(name string) bool {
	return c.holding(name) != nil
}

// Revisions are those of all our claims, by name.
func (c *Claims) Revisions() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	revisions := map[string]uint64{}
	for name, h := range c.held {
		revisions[name] = h.revision
	}
	return revisions
}

// Release takes all our claims out of the directory.
func (c *Claims) Release(ctx context.Context) error {
	for name, revision := range c.Revisions() {
		if err := c.Mirror.Names.Delete(ctx, subject.Claim(name), revision); err != nil {
			return err
		}
	}
	return nil
}

// holding is what we hold of a name, nil if nothing.
func (c *Claims) holding(name string) *holding {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[name]
}

func now() time.Time { return leasekeeper.Now() }
