package limpet

import (
	"context"
	"errors"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// The Actions of a Machine, done on its Ksock.

// work does a action that is an operation of our Ksock. An error means that the Ksock is of no more use; what the bus
// refuses is an Outcome.
func work(ctx context.Context, k *kbus.Ksock, d Action) (o Outcome, err error) {
	var sent kbus.Sent
	switch d.Kind {
	case Send:
		sent, err = k.Send(ctx, d.Message)
	case SendToListeners:
		sent, err = k.Bridge().SendToListeners(ctx, d.Message)
	case Bind:
		if d.Of.IsZero() {
			err = k.Bind(ctx, d.Name, kbus.Replier)
		} else {
			err = k.Bridge().BindProxy(ctx, d.Name, d.Of)
		}
	case Unbind:
		err = k.Unbind(ctx, d.Name, kbus.Replier)
	case Resolve:
		var p kbus.Party
		p, _, err = k.Observer().Who(ctx, d.Message.Name)
		o.Replier = p.Ksock
	case Snapshot:
		if o.Bindings, err = k.Observer().Bindings(ctx); err == nil {
			err = reportAll(ctx, k)
			o.Incomplete = errors.Is(err, kbus.ErrReportFull) || errors.Is(err, kbus.ErrUserQueueBytes) || errors.Is(err, kbus.ErrBusQueueBytes)
			if o.Incomplete {
				err = nil
			}
		}
	}
	switch {
	case sent.Pending:
		return Outcome{Condition: message.ErrPending, Why: message.ErrPending}, nil
	case err == nil:
		return o, nil
	case errors.As(err, &o.Condition):
		switch o.Condition {
		case message.ErrBusGone, message.ErrClosed, message.ErrCanceled:
			return o, err
		}
		o.Why = err
		return o, nil
	}
	return o, err
}

// Prepare makes a Ksock what a Machine needs it to be; it must be new, and used for nothing else. The queue has
// room for so many messages, or more if that is what it takes to receive events of all Repliers that there are.
func Prepare(ctx context.Context, k *kbus.Ksock, name string, maxMessages uint32) error {
	if _, err := k.Queue().SetOnlyOnce(ctx, true); err != nil {
		return err
	}
	if _, err := k.Queue().SetLimit(ctx, maxMessages); err != nil {
		return err
	}
	for _, name := range [...]string{name, kbus.NameReplierBindEvent} {
		if err := k.Bind(ctx, name, kbus.Listener); err != nil {
			return err
		}
	}
	return reportAll(ctx, k)
}

// reportAll has the bus report all Repliers that there are, and makes room in the queue for that.
func reportAll(ctx context.Context, k *kbus.Ksock) error {
	for {
		_, err := k.Settings().SetReportReplierBinds(ctx, true)
		if !errors.Is(err, kbus.ErrReportFull) {
			return err
		}
		most, failed := k.Queue().Limit(ctx)
		if failed != nil || most > 1<<30 {
			return err
		}
		if _, failed := k.Queue().SetLimit(ctx, 2*most); failed != nil {
			return failed
		}
	}
}
