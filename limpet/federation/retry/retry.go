// Package retry tries until something succeeds, and knows what no waiting will mend. Machines start in any order and a
// cluster without a leader answers nothing, so most failures of NATS pass by themselves. A Refusal does not: the daemon
// or the server does not permit it, or two members have one id. Then the program ends with the reason.
package retry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/store"
)

// Refusal is a reason that no waiting will mend.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes a Refusal.
func Refuse(format string, args ...any) error { return &Refusal{fmt.Errorf(format, args...)} }

const (
	firstPause = 250 * time.Millisecond
	lastPause  = 4 * time.Second
)

// Until tries until it succeeds, or is refused, or what it tries with is gone (store.ErrAnew), and logs the complaint when it does not, and again when it is for another
// reason: the first one is often only that something else is not there yet. A try may take longer each time, and so do the
// pauses between tries, more or less: a thousand members may want the same thing at the same moment.
func Until(ctx context.Context, log *slog.Logger, complaint string, try func(context.Context) error) error {
	pause, patience := firstPause, store.Patience
	var last Reason
	for {
		attempt, cancel := context.WithTimeout(ctx, patience)
		err := try(attempt)
		cancel()
		var refusal *Refusal
		if err == nil || errors.As(err, &refusal) || errors.Is(err, store.ErrAnew) {
			return err
		}
		if last.Changed(err) {
			log.Warn(complaint+", trying on", "why", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause, patience = min(2*pause, lastPause), min(2*patience, 4*lastPause)
	}
}

// Reason is why something failed the last time.
type Reason string

// Changed reports whether it fails for another reason now, or for the first time.
func (r *Reason) Changed(err error) bool {
	before := *r
	*r = Reason(err.Error())
	return *r != before
}

// remind is after how long a complaint that is still the same is logged again.
const remind = time.Minute

// Attend has what no call returns of a connection to NATS go to the log, or to the channel if it is a Refusal: what the server
// does not permit, and a connection that is closed for good.
func Attend(nc *nats.Conn, log *slog.Logger, member uint32, federation string, fatal chan<- error) {
	refuse := func(format string, args ...any) {
		select {
		case fatal <- Refuse(format, args...):
		default:
		}
	}
	var last Reason
	var logged time.Time
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		switch {
		case errors.Is(err, nats.ErrPermissionViolation) && !strings.Contains(err.Error(), store.UserInfo):
			refuse("the NATS server does not let these credentials be bowl %d of federation %s: %w", member, federation, err)
		case last.Changed(err) || time.Since(logged) >= remind:
			logged = time.Now()
			log.Warn("NATS complains", "why", err)
		}
	})
	nc.SetClosedHandler(func(nc *nats.Conn) { // by us at the end, or for a reason for which nats.go does not connect again
		refuse("the connection to NATS is closed for good: %w", cmp.Or(nc.LastError(), nats.ErrConnectionClosed))
	})
}
