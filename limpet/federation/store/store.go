// Package store keeps what a federation has in common in NATS, in replicated streams. The directory is keys and values
// (a JetStream key-value bucket, so that `nats kv` can look at it), changed by compare-and-swap only; a log is a row of
// entries.
//
// A read may come from a server that lags behind, so nothing is ever decided by one: a read gives a revision to swap
// at, and the swap fails if it was old.
//
// It speaks the protocol of JetStream itself, which is a handful of requests.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// Store is one stream.
type Store struct {
	nc      *nats.Conn
	prefix  string // of subjects that keys are stored under
	stream  string
	changes string // where the stream publishes again what it has stored
	known   atomic.Uint64
}

// Known is the highest number that is known to be in the stream, as far as it is followed.
func (s *Store) Known() uint64 { return s.known.Load() }

func (s *Store) knows(n uint64) {
	for {
		before := s.known.Load()
		if n <= before || s.known.CompareAndSwap(before, n) {
			return
		}
	}
}

// Patience is how long one operation may take, unless its context says so.
const Patience = 2 * time.Second

func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, set := ctx.Deadline(); set {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, Patience)
}

// markers is how long it is remembered that a key was deleted, so that the directory does not grow with every name that
// was ever used. A bowl that was cut off for longer reads the directory anew.
const markers = time.Hour

var (
	// ErrChanged is a swap at a revision that is not the last.
	ErrChanged = errors.New("somebody else has changed it")
	// ErrNone is a read of a key that is not there.
	ErrNone = errors.New("there is no such key")
)

// config is that of a stream, as far as it is not the server's default.
type config struct {
	Name        string        `json:"name"`
	Subjects    []string      `json:"subjects"`
	MaxAge      time.Duration `json:"max_age"`
	MaxBytes    int64         `json:"max_bytes"`
	MaxPerKey   int64         `json:"max_msgs_per_subject"`
	MaxMsgs     int64         `json:"max_msgs"`
	Discard     string        `json:"discard"`
	Retention   string        `json:"retention"`
	Storage     string        `json:"storage"`
	Replicas    int           `json:"num_replicas"`
	Duplicates  time.Duration `json:"duplicate_window,omitempty"`
	RePublish   republish     `json:"republish"`
	AllowDirect bool          `json:"allow_direct"`
	AllowRollup bool          `json:"allow_rollup_hdrs"`
	DenyDelete  bool          `json:"deny_delete"`
	AllowTTL    bool          `json:"allow_msg_ttl"`
	MarkerTTL   time.Duration `json:"subject_delete_marker_ttl,omitempty"`
}

type republish struct {
	Source      string `json:"src"`
	Destination string `json:"dest"`
}

// OpenBucket opens a bucket of keys, and makes it first if need be. Changes is the subject, with a final >, for what it
// publishes again.
func OpenBucket(ctx context.Context, nc *nats.Conn, bucket, changes string, replicas int) (*Store, error) {
	s := &Store{nc: nc, prefix: "$KV." + bucket + ".", stream: "KV_" + bucket, changes: changes}
	return s, s.open(ctx, &config{
		MaxPerKey: 1, MaxMsgs: -1, MaxBytes: -1, Discard: "new", Replicas: replicas, AllowRollup: true, DenyDelete: true,
		AllowTTL: true, MarkerTTL: markers,
	})
}

// OpenLog opens a log whose entries live under a prefix of subjects, and makes it first if need be. It keeps them for
// so long, and so many bytes of them.
func OpenLog(
	ctx context.Context, nc *nats.Conn, name, prefix, changes string, replicas int, keep time.Duration, maxBytes int64,
) (*Store, error) {
	s := &Store{nc: nc, prefix: prefix, stream: name, changes: changes}
	return s, s.open(ctx, &config{
		MaxPerKey: -1, MaxMsgs: -1, MaxBytes: maxBytes, MaxAge: keep, Discard: "old", Replicas: replicas,
		Duplicates: min(keep, 2*time.Minute),
	})
}

// Codes of the server's errors.
const (
	codeNotFound     = 10037
	codeStreamExists = 10058
	codeNoStream     = 10059
	codeWrongLast    = 10071 // and the next, of a stream with replicas
	codeWrongLastToo = 10164
)

func (s *Store) open(ctx context.Context, c *config) error {
	_, err := s.last(ctx)
	var refused *apiError
	if err == nil || !errors.As(err, &refused) || refused.Code != codeNoStream {
		return err
	}
	c.Name, c.Subjects, c.RePublish = s.stream, []string{s.prefix + ">"}, republish{s.prefix + ">", s.changes}
	c.Retention, c.Storage, c.AllowDirect = "limits", "file", true
	request, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var answer struct {
		Error *apiError `json:"error"`
	}
	err = s.ask(ctx, "$JS.API.STREAM.CREATE."+s.stream, string(request), &answer)
	if err == nil && answer.Error != nil && answer.Error.Code != codeStreamExists { // else somebody was quicker
		err = fmt.Errorf("making %s: %w", s.stream, answer.Error)
	}
	return err
}

// Swap gives a key a value if its revision is still that one, 0 if it must not exist. ErrChanged if it is not; after
// any other error it is not known whether it was done.
func (s *Store) Swap(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return s.publish(ctx, key, value, nats.Header{expected: {strconv.FormatUint(revision, 10)}})
}

// Delete removes a key if its revision is still that one.
func (s *Store) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := s.publish(ctx, key, nil, nats.Header{
		expected: {strconv.FormatUint(revision, 10)}, operation: {"DEL"}, "Nats-TTL": {markers.String()},
	})
	return err
}

// Append adds an entry to a log. The same id again, within two minutes, adds nothing. After an error it is not known
// whether it was added.
func (s *Store) Append(ctx context.Context, key string, value []byte, id string) (uint64, error) {
	return s.publish(ctx, key, value, nats.Header{"Nats-Msg-Id": {id}})
}

const (
	expected  = "Nats-Expected-Last-Subject-Sequence"
	operation = "KV-Operation"
)

func (s *Store) publish(ctx context.Context, key string, value []byte, head nats.Header) (uint64, error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	m, err := s.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: s.prefix + key, Header: head, Data: value})
	if err != nil {
		return 0, fmt.Errorf("storing %s: %w", s.prefix+key, err)
	}
	var ack struct {
		Error    *apiError `json:"error"`
		Sequence uint64    `json:"seq"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return 0, fmt.Errorf("storing %s: %w", s.prefix+key, err)
	}
	switch e := ack.Error; {
	case e == nil:
		return ack.Sequence, nil
	case e.Code == codeWrongLast || e.Code == codeWrongLastToo:
		return 0, ErrChanged
	}
	return 0, fmt.Errorf("storing %s: %w", s.prefix+key, ack.Error)
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

// Leader is the name of the server that leads the stream.
func (s *Store) Leader(ctx context.Context) (string, error) {
	i, err := s.info(ctx)
	return i.Cluster.Leader, err
}
