package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What is stored is published to the subject of its key, with headers for the condition on which, and acknowledged by the
// stream's leader when a quorum has it. The package jetstream does that, without trying again: after a failure
// it is not known whether it was done, and callers differ in what that means for them.

const (
	expected  = "Nats-Expected-Last-Subject-Sequence"
	operation = "KV-Operation"
)

func (s *stream) publish(ctx context.Context, key string, value []byte, head nats.Header) (uint64, error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: s.writes + key, Header: head, Data: value}, jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	switch {
	case err == nil:
		return ack.Sequence, nil
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		err = nats.ErrNoResponders // as of all other requests
	case errors.As(err, &refused):
		if refused.ErrorCode == codeWrongLast || refused.ErrorCode == codeWrongLastToo {
			return 0, ErrChanged
		}
		err = &apiError{Code: int(refused.ErrorCode), Description: refused.Description}
	}
	return 0, fmt.Errorf("storing %s: %w", s.prefix+key, err)
}
