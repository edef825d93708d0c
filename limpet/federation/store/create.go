package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The first member makes a stream and all others find it. That two make it at one moment does no harm, for both would make
// the same.

// config is that of a stream, as far as it is not the server's default.
type config struct {
	Name     string   `json:"name"`
	Subjects []string `json:"subjects"`
	limits
	Storage    string        `json:"storage"`
	Replicas   int           `json:"num_replicas"`
	Duplicates time.Duration `json:"duplicate_window,omitempty"`
	RePublish  republish     `json:"republish"`
	access
}

// limits are how much a stream keeps.
type limits struct {
	MaxAge    time.Duration `json:"max_age"`
	MaxBytes  int64         `json:"max_bytes"`
	MaxPerKey int64         `json:"max_msgs_per_subject"`
	MaxMsgs   int64         `json:"max_msgs"`
	Discard   string        `json:"discard"`
	Retention string        `json:"retention"`
}

// access is what clients may do with what a stream keeps.
type access struct {
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

// Codes of the server's errors.
const (
	codeNotFound     = 10037
	codeStreamExists = 10058
	codeNoStream     = 10059
	codeWrongLast    = 10071 // and the next, of a stream with replicas
	codeWrongLastToo = 10164
)

func (s *stream) open(ctx context.Context, c *config) (err error) {
	if s.js, err = jetstream.New(s.nc.Conn); err != nil {
		return err
	}
	i, err := s.info(ctx)
	if errors.Is(err, nats.ErrNoResponders) && s.nc.Domain == "" {
		if s.nc.Domain, err = s.nc.discover(ctx); err == nil {
			if s.writes == s.prefix && strings.HasPrefix(s.prefix, "$KV.") {
				s.writes = s.nc.bucket(s.prefix)
			}
			i, err = s.info(ctx)
		}
	}
	s.made = i.Created
	if !isGone(err) {
		return err
	}
	c.Name, c.Subjects, c.RePublish = s.name, []string{s.prefix + ">"}, republish{s.prefix + ">", s.changes}
	c.Retention, c.Storage, c.AllowDirect = "limits", "file", true
	request, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var answer struct {
		Error *apiError `json:"error"`
	}
	err = s.ask(ctx, "STREAM.CREATE."+s.name, string(request), &answer)
	if err == nil && answer.Error != nil && answer.Error.Code != codeStreamExists { // else somebody was quicker
		err = fmt.Errorf("making %s: %w", s.name, answer.Error)
	}
	if err == nil {
		i, err = s.info(ctx)
		s.made = i.Created
	}
	return err
}

// isGone reports whether an error says that there is no such stream.
func isGone(err error) bool {
	var refused *apiError
	return errors.As(err, &refused) && refused.Code == codeNoStream
}

// Same asks the leader whether the stream is still the one that was opened. ErrAnew if it is not: then all that was known of it
// is of no use.
func (s *stream) Same(ctx context.Context) error {
	i, err := s.info(ctx)
	if isGone(err) || err == nil && !i.Created.Equal(s.made) {
		return fmt.Errorf("%s: %w", s.name, ErrAnew)
	}
	return err
}
