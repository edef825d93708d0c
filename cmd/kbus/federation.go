package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus"
	"kbus/internal/plain"
	"kbus/limpet/federation/report"
)

// A bus in a federation has a Limpet that tells how it looks from there, and `kbus list` shows that below the Ksocks.
// To ask takes a Ksock and a Request. So it is looked first, without either, whether there is anybody to ask, and a bus
// in no federation stays as it was. A Limpet that does not tell takes nothing away from the list: that is said, and
// there is no failure.

// limpetPatience is for one that does not answer.
const limpetPatience = 2 * time.Second

func (l *line) listFederation(ctx context.Context, o *kbus.Observer) error {
	limpet, err := limpetOf(o)
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
	case l.json:
		return l.printJSON(struct {
			Federation json.RawMessage `json:"federation"`
		}{whole})
	}
	if _, err := fmt.Fprintf(l.out, "\n%s\n%s\n", s.Summary(), s.Lag()); err != nil {
		return err
	}
	return l.table(report.PeersHeading, s.WritePeers, "no other bowls")
}

// limpetOf finds who tells of the federation; its Ksock is 0 if nobody does. Who has bound a wildcard that happens to
// match is nobody to ask. Bindings can be many, and are looked at only if there is a Replier.
func limpetOf(o *kbus.Observer) (kbus.Party, error) {
	replier, _, err := o.Who(report.Name)
	if err != nil || replier.Ksock == 0 {
		return kbus.Party{}, err
	}
	list, err := o.Bindings()
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
	k, err := kbus.OpenContext(ctx, uint32(l.bus), kbus.Dir(l.directory()))
	if err != nil {
		return report.Status{}, nil, err
	}
	defer k.Close()
	return report.Ask(ctx, k)
}
