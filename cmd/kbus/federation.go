package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/limpet/federation/report"
)

// A bus in a federation has a Limpet that knows how the federation looks from there, and `kbus list` shows that below
// the Ksocks. To ask it takes a Ksock and a Request. So list first looks, without either, whether such a Limpet is
// bound; a bus in no federation stays as it was. A Limpet that does not answer takes nothing away from the list: list
// says so, and does not fail.

// limpetPatience is for one that does not answer.
const limpetPatience = 2 * time.Second

func (l *line) listFederation(ctx context.Context, o *kbus.Observer) error {
	limpet, err := limpetOf(ctx, o)
	if err != nil || limpet.Ksock == 0 {
		return err
	}
	s, whole, err := l.askLimpet(ctx)
	switch {
	case errors.Is(err, kbus.ErrNoReplier): // it has just gone
		return nil
	case err != nil:
		l.reportFailure(fmt.Errorf("the federation is not shown, because Ksock %d (process %d, %s) does not tell of it: %w",
			limpet.Ksock, limpet.PID, plain.Text(limpet.Program), gaveUp(err, limpetPatience)))
		return nil
	case l.JSON:
		return l.printJSON(struct {
			Federation json.RawMessage `json:"federation"`
		}{whole})
	}
	if _, err := fmt.Fprintf(l.out, "\n%s\n%s\n", s.Summary(), s.Lag()); err != nil {
		return err
	}
	return l.table(report.PeersHeading, s.WritePeers, "no other bowls")
}

// limpetOf finds the Limpet that knows the federation; its Ksock is 0 if there is none. A Ksock with a wildcard that
// happens to match is not it. Bindings can be many, and are looked at only if there is a Replier.
func limpetOf(ctx context.Context, o *kbus.Observer) (kbus.Party, error) {
	replier, _, err := o.Who(ctx, report.Name)
	if err != nil || replier.Ksock == 0 {
		return kbus.Party{}, err
	}
	list, err := o.Bindings(ctx)
	for _, b := range list {
		if b.As == kbus.Replier && b.Name == report.Name {
			return replier, err
		}
	}
	return kbus.Party{}, err
}

func (l *line) askLimpet(ctx context.Context) (report.Status, json.RawMessage, error) {
	ctx, done := context.WithTimeout(ctx, limpetPatience)
	defer done()
	k, err := kbus.Open(ctx, kbus.BusNumber(l.Bus), kbus.Dir(l.Directory()))
	if err != nil {
		return report.Status{}, nil, err
	}
	defer k.Close()
	return report.Ask(ctx, k)
}
