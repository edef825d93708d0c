package office

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/store"
)

// Refusal is a reason that no waiting will mend.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes one.
func Refuse(format string, args ...any) error { return &Refusal{fmt.Errorf(format, args...)} }

const (
	insistFirst = 250 * time.Millisecond
	insistMost  = 4 * time.Second
)

// Insist tries until it succeeds, or is refused, and says once that it does not. A try may take longer each time, and
// so do the pauses between them, more or less: a thousand bowls may want the same thing at the same moment.
func Insist(ctx context.Context, log *slog.Logger, complaint string, try func(context.Context) error) error {
	pause, patience := insistFirst, store.Patience
	for said := false; ; {
		attempt, cancel := context.WithTimeout(ctx, patience)
		err := try(attempt)
		cancel()
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
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause, patience = min(2*pause, insistMost), min(2*patience, 4*insistMost)
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
