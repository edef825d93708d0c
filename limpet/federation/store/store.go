// Package store keeps what a federation has in common in NATS, in replicated streams: a Bucket of keys and values, such as
// the directory, which is changed by compare-and-swap only, and a Stream of entries.
//
// A read may come from a server that lags behind, so nothing is ever decided by one: a read gives a revision to swap
// at, and the swap fails if it was old.
//
// Writes go through the package jetstream of nats.go. Everything else speaks the protocol of JetStream itself, a handful
// of requests, because that package cannot do it (nats.go 1.55.0, servers 2.15.2):
//
//   - It cannot read a key from the stream's leader. From a stream that allows direct reads, as the buckets of nats.go do,
//     its reads ask $JS.API.DIRECT.GET, which any replica answers, also one that lags behind.
//   - It cannot read many entries by one request (batch, multi_last), which is how a member that was cut off catches up.
//   - It cannot follow a stream while a server dies. Its Watch is a consumer, which lives on one server. When that server
//     was killed, and another one led the stream of three replicas, a Watch received nothing for 17 s, in each of three
//     runs, though no write took longer than 0.19 s; Follow received nothing for 0.21 s. A lease lasts 12 s.
//
// It could make a stream and ask for its state. These are two requests like the others here, and need the same domain,
// which is discovered when the first of them is not answered. Its key-value calls are not used for writes: its Delete
// gives the marker that it leaves no time to live.
package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stream is what a Bucket and a Stream have in common.
type stream struct {
	nc      NATS
	js      jetstream.JetStream
	prefix  string // of subjects that keys are stored under
	writes  string // the same where they are written to
	name    string
	made    time.Time     // when the stream that was opened was made, which tells it from another of its name
	changes string        // where the stream publishes again what it has stored
	known   atomic.Uint64 // the highest number that is known to be in it, as far as it is followed
}

func (s *stream) knows(n uint64) {
	for {
		before := s.known.Load()
		if n <= before || s.known.CompareAndSwap(before, n) {
			return
		}
	}
}

// Patience is how long one operation may take, unless its context has a deadline.
const Patience = 2 * time.Second

func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, set := ctx.Deadline(); set {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, Patience)
}

var (
	// ErrChanged is a swap at a revision that is not the last.
	ErrChanged = errors.New("somebody else has changed it")
	// ErrAnew is a stream that is not there any more, or is another one: the servers have lost what they had stored.
	ErrAnew = errors.New("the NATS servers have lost what they had stored")
	// ErrNone is a read of a key that is not there.
	ErrNone = errors.New("there is no such key")
)

// Entry is a key as it was stored.
type Entry struct {
	Key      string
	Value    []byte
	Deleted  bool
	Revision uint64
}
