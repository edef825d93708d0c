package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Bucket keeps the last value of each key, and is changed by compare-and-swap only. It is a key-value bucket of JetStream,
// so `nats kv` can look at it.
type Bucket struct{ *stream }

// markers is how long it is remembered that a key was deleted, so that the directory does not grow with every name that
// was ever used. A member that was cut off for longer reads the directory anew.
const markers = time.Hour

// OpenBucket opens a bucket of keys, and makes it first if need be. Changes is the subject, with a final >, for what it
// publishes again.
func OpenBucket(ctx context.Context, nc NATS, bucket, changes string, replicas int) (*Bucket, error) {
	prefix := "$KV." + bucket + "."
	b := &Bucket{&stream{nc: nc, prefix: prefix, writes: nc.bucket(prefix), name: "KV_" + bucket, changes: changes}}
	return b, b.open(ctx, &config{
		limits:   limits{MaxPerKey: 1, MaxMsgs: -1, MaxBytes: -1, Discard: "new"},
		Replicas: replicas,
		access:   access{AllowRollup: true, DenyDelete: true, AllowTTL: true, MarkerTTL: markers},
	})
}

// Swap gives a key a value if its revision is still that one, 0 if it must not exist. ErrChanged if it is not; after
// any other error it is not known whether it was done.
func (b *Bucket) Swap(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return b.publish(ctx, key, value, nats.Header{expected: {strconv.FormatUint(revision, 10)}})
}

// Delete removes a key if its revision is still that one.
func (b *Bucket) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := b.publish(ctx, key, nil, nats.Header{
		expected: {strconv.FormatUint(revision, 10)}, operation: {"DEL"}, "Nats-TTL": {markers.String()},
	})
	return err
}

// Read asks the stream's leader for a key. ErrNone if it was never there or its deletion is forgotten; an Entry that is
// Deleted still has its revision.
func (b *Bucket) Read(ctx context.Context, key string) (Entry, error) {
	return b.leaderGet(ctx, fmt.Sprintf(`{"last_by_subj":%q}`, b.prefix+key))
}

// Glance reads a key from any replica, as far as that replica knows, also while the stream has no leader. ErrNone
// as with Read.
func (b *Bucket) Glance(ctx context.Context, key string) (Entry, error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	m, err := b.nc.RequestWithContext(ctx, b.nc.api("DIRECT.GET."+b.name), fmt.Appendf(nil, `{"last_by_subj":%q}`, b.prefix+key))
	if err != nil {
		return Entry{}, fmt.Errorf("reading %s: %w", b.prefix+key, err)
	}
	e, ok := b.stored(m)
	if !ok {
		return Entry{}, ErrNone
	}
	return e, nil
}

// Watch has changes of one key come to a channel as they are made, as far as it has room. Changed reads them.
func (b *Bucket) Watch(key string, changes chan *nats.Msg) (*nats.Subscription, error) {
	return b.nc.ChanSubscribe(strings.TrimSuffix(b.changes, ">")+key, changes)
}

// Changed reads what came by Watch.
func (b *Bucket) Changed(m *nats.Msg) (Entry, bool) { return b.stored(m) }

// Follow calls each for all that is in the bucket and for every change from then on, in the order of the stream, and
// caught when it has caught up with what was there at the start. It ends with ctx, or with an error of each.
func (b *Bucket) Follow(ctx context.Context, each func(Entry) error, caught func()) error {
	return b.follow(ctx, &follower{each: each, due: 1, caught: caught})
}
