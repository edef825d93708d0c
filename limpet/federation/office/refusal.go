package office

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Refusal is a reason that no waiting will mend.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes one.
func Refuse(format string, args ...any) error { return &Refusal{fmt.Errorf(format, args...)} }

const insistEvery = 500 * time.Millisecond

// Insist tries until it succeeds, or is refused, and says once that it does not.
func Insist(ctx context.Context, log *slog.Logger, complaint string, try func() error) error {
	for said := false; ; {
		err := try()
		var refusal *Refusal
		if err == nil || errors.As(err, &refusal) {
			return err
		}
		if !said {
			log.Warn(complaint+", trying on", "why", err)
			said = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(insistEvery):
		}
	}
}

// Complaints hears from NATS what has no other way to be told. What the server does not permit is a Refusal, which goes
// to the channel; the rest to the log.
func Complaints(log *slog.Logger, bowl uint32, federation string, fatal chan<- error) nats.ErrHandler {
	return func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if !errors.Is(err, nats.ErrPermissionViolation) {
			log.Warn("NATS complains", "why", err)
			return
		}
		select {
		case fatal <- Refuse("the NATS server does not let these credentials be bowl %d of federation %s: %w", bowl,
			federation, err):
		default:
		}
	}
}
