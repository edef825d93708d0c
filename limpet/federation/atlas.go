package federation

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// atlas is our copy of the directory, kept up to date as long as there is the bus. It outlives sessions: a bowl that has
// lost its lease, perhaps together with a thousand others, has not to read it all again.
type atlas struct {
	*Bowl
	names  *store.Store // the directory
	leases *store.Store

	mu     sync.Mutex // guards what follows, and is held after that of a session, never before
	table  *directory.Table
	own    directory.Bowl // what the directory tells of us, who are not in the table
	reader *session       // is told of changes; nil between two sessions
}

// openAtlas opens the federation's buckets, as soon as there is somebody who can: a cluster that has just been started
// needs a few seconds for that. It returns when all that is in the directory is known. Following it goes on until ctx
// ends; if that fails, end is called.
func (b *Bowl) openAtlas(ctx context.Context, end context.CancelCauseFunc) (*atlas, error) {
	a := &atlas{Bowl: b, table: directory.New()}
	err := office.Insist(ctx, b.Log, "the federation's directory cannot be opened yet", func(ctx context.Context) (err error) {
		if a.names, err = store.OpenBucket(ctx, b.nc, b.bucket("names"), b.space.Changes("names"), b.Replicas); err != nil {
			return err
		}
		a.leases, err = office.Open(ctx, b.nc, b.Federation, b.Replicas)
		return err
	})
	if err != nil {
		return nil, err
	}
	caught := make(chan struct{})
	go func() {
		end(a.names.Follow(ctx, func(e store.Entry) error { a.changed(e); return nil }, func() { close(caught) }))
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-caught:
		return a, nil
	}
}

// tell has a session be told of changes from now on, nil nobody, and gives what it must know to begin with.
func (a *atlas) tell(s *session) (own directory.Bowl, bowls []directory.Bowl, names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reader = s
	for name := range a.table.Claims() {
		names = append(names, name)
	}
	return a.own, slices.Collect(a.table.Bowls()), names
}

// changed takes a change of the directory. What is not ours there is left alone; whoever put it there may know why.
func (a *atlas) changed(e store.Entry) {
	if subject.IsBowl(e.Key) {
		a.bowlChanged(e)
	} else if name, ok := subject.Claimed(e.Key); ok {
		a.claimChanged(name, e)
	}
}

func (a *atlas) claimChanged(name string, e store.Entry) {
	c := directory.Claim{}
	valid := !e.Deleted && json.Unmarshal(e.Value, &c) == nil && c.Bowl != 0
	c.Revision = e.Revision
	a.mu.Lock()
	if valid {
		a.table.Set(name, c)
	} else {
		a.table.Remove(name)
	}
	reader := a.reader
	a.mu.Unlock()
	if reader != nil {
		reader.claimChanged(name)
	}
}

func (a *atlas) bowlChanged(e store.Entry) {
	var b directory.Bowl
	if e.Deleted || json.Unmarshal(e.Value, &b) != nil || subject.Bowl(b.ID) != e.Key || b.Epoch == 0 {
		return
	}
	b.Revision = e.Revision
	a.mu.Lock()
	if b.ID == a.ID {
		a.own = b
	} else {
		a.table.SetBowl(b)
	}
	reader := a.reader
	a.mu.Unlock()
	if reader != nil {
		reader.bowlChanged(b)
	}
}

// What the table knows.

func (a *atlas) claim(name string) (directory.Claim, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Claim(name)
}

func (a *atlas) lookup(name string) (directory.Claim, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Lookup(name)
}

func (a *atlas) bowls() []directory.Bowl {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(a.table.Bowls())
}

// size is how many bowls there are, besides ours.
func (a *atlas) size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Population()
}

// successors are the bowls that we look after.
func (a *atlas) successors() []directory.Bowl {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Successors(a.ID, watched)
}

// told is what the directory tells of a bowl, be it ours; zero if it tells nothing.
func (a *atlas) told(id uint32) directory.Bowl {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id == a.ID {
		return a.own
	}
	b, _ := a.table.Bowl(id)
	return b
}

func (a *atlas) alive(network uint32) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Alive(network)
}

func (a *atlas) over(bowl uint32, epoch uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.Over(bowl, epoch)
}

// claims are those of one bowl, by name.
func (a *atlas) claims(bowl uint32) map[string]directory.Claim {
	of := map[string]directory.Claim{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, c := range a.table.Claims() {
		if c.Bowl == bowl {
			of[name] = c
		}
	}
	return of
}

// counts are how many claims each bowl has.
func (a *atlas) counts() map[uint32]int {
	counts := map[uint32]int{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.table.Claims() {
		counts[c.Bowl]++
	}
	return counts
}
