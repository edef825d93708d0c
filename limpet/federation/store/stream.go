package store

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Stream is a row of entries, each with its number, which are kept for some time.
type Stream struct{ *stream }

// OpenStream opens a stream whose entries live under a prefix of subjects, and makes it first if need be. It keeps them for
// so long, and so many bytes of them.
func OpenStream(
	ctx context.Context, nc NATS, name, prefix, changes string, replicas int, keep time.Duration, maxBytes int64,
) (*Stream, error) {
	s := &Stream{&stream{nc: nc, prefix: prefix, writes: prefix, name: name, changes: changes}}
	return s, s.open(ctx, &config{
		limits:   limits{MaxPerKey: -1, MaxMsgs: -1, MaxBytes: maxBytes, MaxAge: keep, Discard: "old"},
		Replicas: replicas, Duplicates: min(keep, 2*time.Minute),
	})
}

// Append adds an entry to a Stream. The same id again, within two minutes, adds nothing. After an error it is not known
// whether it was added.
func (s *Stream) Append(ctx context.Context, key string, value []byte, id string) (uint64, error) {
	return s.publish(ctx, key, value, nats.Header{"Nats-Msg-Id": {id}})
}

// Known is the highest number that is known to be in the stream, as far as it is followed.
func (s *Stream) Known() uint64 { return s.known.Load() }

// State is how a stream stands.
type State struct {
	Created     time.Time // another time, another stream
	First, Last uint64    // numbers of entries; First is the next one if there are none
}

// State asks the leader.
func (s *Stream) State(ctx context.Context) (State, error) {
	i, err := s.info(ctx)
	return State{i.Created, i.State.First, i.State.Last}, err
}

// Latest has any replica give the last entry of each key among those up to a number, as far as the stream has them
// still, and as far as the replica has them yet. It is too much to ask of more than mostKeys.
func (s *Stream) Latest(ctx context.Context, upTo uint64, each func(Entry)) error {
	return s.gather(ctx, fmt.Sprintf(`{"multi_last":[%q],"up_to_seq":%d}`, s.prefix+">", upTo), each)
}

// Near reports whether the stream is led in the cluster that we are connected to.
func (s *Stream) Near(ctx context.Context) (bool, error) {
	i, err := s.info(ctx)
	ours := s.nc.ConnectedClusterName()
	return i.Cluster.Leader == s.nc.ConnectedServerName() || ours != "" && ours == i.Cluster.Name, err
}

// Leader is the name of the server that leads the stream.
func (s *Stream) Leader(ctx context.Context) (string, error) {
	i, err := s.info(ctx)
	return i.Cluster.Leader, err
}

// Follow calls each for every entry of a Stream from a number on, in its order, and lost when the stream has no more
// what would come next: the number of the first one that is gone, and how many are.
func (s *Stream) Follow(ctx context.Context, first uint64, each func(Entry) error, lost func(first, n uint64) error) error {
	return s.follow(ctx, &follower{each: each, due: first, lost: lost})
}
