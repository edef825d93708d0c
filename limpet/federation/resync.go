package federation

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/claims"
)

// resync learns again which Repliers the bus has, when bind events were lost or somebody has turned them off.
type resync struct {
	ksock      *kbus.Ksock
	claims     *claims.Claims
	log        *slog.Logger
	incomplete atomic.Bool // the bus was asked, and could not report all Repliers
}

// run releases what we hold for Repliers that have gone unseen, and asks the bus for all that there are. What the bus
// cannot report now, because too much waits for our user, is asked for again later.
func (r *resync) run(ctx context.Context) error {
	if err := r.compare(ctx); err != nil {
		return err
	}
	err := reportRepliers(ctx, r.ksock)
	full := errors.Is(err, kbus.ErrReportFull) || errors.Is(err, kbus.ErrUserQueueBytes) || errors.Is(err, kbus.ErrBusQueueBytes)
	if r.incomplete.Swap(full) != full && full {
		r.log.Warn("the bus cannot tell of all its Repliers now, because too much waits for this user; trying on", "why", err)
	}
	if full {
		return nil
	}
	return err
}

func (r *resync) compare(ctx context.Context) error {
	at := now()
	list, err := r.ksock.Observer().Bindings(ctx)
	if err != nil {
		return err
	}
	bound := map[string]kbus.KsockID{}
	for _, b := range list {
		if b.As == kbus.Replier {
			bound[b.Name] = b.Ksock
		}
	}
	r.claims.Compare(bound, at)
	return nil
}

// reportRepliers has the bus report all Repliers that there are, in a queue that has room for that while it is asked.
func reportRepliers(ctx context.Context, k *kbus.Ksock) error {
	if _, err := k.Queue().SetLimit(ctx, reportMessages); err != nil {
		return err
	}
	_, err := k.Settings().SetReportReplierBinds(ctx, true)
	if _, failed := k.Queue().SetLimit(ctx, queueMessages); err == nil {
		err = failed
	}
	return err
}
