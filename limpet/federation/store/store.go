// Package store keeps the directory of a federation in NATS: keys and values in a replicated stream (a JetStream
// key-value bucket, so that `nats kv` can look at it), changed by compare-and-swap only.
//
// A read may come from a server that lags behind, so nothing is ever decided by one: a read gives a revision to swap at,
// and the swap fails if it was old.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Store is one bucket.
type Store struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	prefix  string // of subjects that keys are stored under
	stream  string
	changes string // where the stream publishes again what it has stored
}

// Patience is how long one operation may take.
const Patience = 2 * time.Second

// markers is how long it is remembered that a key was deleted, so that the directory does not grow with every name that
// was ever used. A bowl that was cut off for longer reads the directory anew.
const markers = time.Hour

var (
	// ErrChanged is a swap at a revision that is not the last.
	ErrChanged = errors.New("somebody else has changed it")
	// ErrNone is a read of a key that is not there.
	ErrNone = errors.New("there is no such key")
)

// Open opens a bucket, and makes it first if need be. Changes is the subject, with a final >, for what it publishes
// again.
func Open(ctx context.Context, nc *nats.Conn, bucket, changes string, replicas int) (*Store, error) {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(Patience))
	if err != nil {
		return nil, err
	}
	s := &Store{nc: nc, js: js, prefix: "$KV." + bucket + ".", stream: "KV_" + bucket, changes: changes}
	if _, err := js.KeyValue(ctx, bucket); err == nil {
		return s, nil
	}
	_, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: bucket, Replicas: replicas, LimitMarkerTTL: markers,
		RePublish: &jetstream.RePublish{Source: s.prefix + ">", Destination: changes},
	})
	if errors.Is(err, jetstream.ErrBucketExists) {
		return s, nil // somebody was quicker
	}
	return s, err
}

// Swap gives a key a value if its revision is still that one, 0 if it must not exist. ErrChanged if it is not; after any
// other error it is not known whether it was done.
func (s *Store) Swap(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return s.publish(ctx, &nats.Msg{Subject: s.prefix + key, Data: value}, revision)
}

// Delete removes a key if its revision is still that one.
func (s *Store) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := s.publish(ctx, &nats.Msg{Subject: s.prefix + key, Header: nats.Header{
		operation: {"DEL"}, jetstream.MsgTTLHeader: {markers.String()},
	}}, revision)
	return err
}

const operation = "KV-Operation"

func (s *Store) publish(ctx context.Context, m *nats.Msg, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	ack, err := s.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	switch {
	case err == nil:
		return ack.Sequence, nil
	case errors.As(err, &refused) && (refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return 0, ErrChanged
	}
	return 0, fmt.Errorf("storing %s: %w", m.Subject, err)
}

// Entry is a key as it was stored.
type Entry struct {
	Key      string
	Value    []byte
	Deleted  bool
	Revision uint64
}

// Read asks the stream's leader for a key. ErrNone if it was never there or its deletion is forgotten; an Entry that is
// Deleted still has its revision.
func (s *Store) Read(ctx context.Context, key string) (Entry, error) {
	return s.leaderGet(ctx, fmt.Sprintf(`{"last_by_subj":%q}`, s.prefix+key))
}
