package top

import (
	"context"
	"time"

	"kbus.example/kbus"
)

// Ask asks the daemon for a report. It is the one thing here that is no function of its inputs, and a Model does not use it.
func Ask(ctx context.Context, o *kbus.Observer) (r Report, err error) {
	if r.Ksocks, err = o.List(ctx); err != nil {
		return r, err
	}
	if r.Bindings, err = o.Bindings(ctx); err != nil {
		return r, err
	}
	r.Bus, err = o.Info(ctx)
	r.Time = time.Now()
	return r, err
}
