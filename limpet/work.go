package limpet

import (
	"context"
	"errors"

	"kbus"
	"kbus/message"
)

// work does a duty that is an operation of our Ksock. An error means that the Ksock is of no more use; what the bus
// refuses is an Outcome.
func work(ctx context.Context, k *kbus.Ksock, d Duty) (o Outcome, err error) {
	switch d.Do {
	case Send:
		_, err = k.Send(ctx, d.Message)
	case SendToListeners:
		_, err = k.SendToListeners(ctx, d.Message)
	case Bind:
		if d.Of.IsZero() {
			err = k.Bind(d.Name, kbus.Replier)
		} else {
			err = k.BindProxy(d.Name, d.Of)
		}
	case Unbind:
		err = k.Unbind(d.Name, kbus.Replier)
	case Resolve:
		var p kbus.Party
		p, _, err = k.Who(d.Message.Name)
		o.Replier = p.Ksock
	case Snapshot:
		o.Bindings, err = k.Bindings()
	}
	switch {
	case err == nil:
		return o, nil
	case errors.As(err, &o.Condition):
		switch o.Condition {
		case message.ErrBusGone, message.ErrClosed, message.ErrCanceled:
			return o, err
		}
		return o, nil
	}
	return o, err
}

// Prepare makes a Ksock what a Machine needs it to be (R9.6); it must be new, and used for nothing else. The queue has
// room for so many messages, or more if that is what it takes to hear of all Repliers that there are.
func Prepare(k *kbus.Ksock, name string, maxMessages uint32) error {
	if _, err := k.SetOnlyOnce(true); err != nil {
		return err
	}
	if _, err := k.SetMaxMessages(maxMessages); err != nil {
		return err
	}
	for _, name := range [...]string{name, kbus.NameReplierBindEvent} {
		if err := k.Bind(name, kbus.Listener); err != nil {
			return err
		}
	}
	for {
		_, err := k.SetReportReplierBinds(true)
		if !errors.Is(err, kbus.ErrReportFull) {
			return err
		}
		if maxMessages > 1<<30 {
			return err
		}
		maxMessages *= 2
		if _, err := k.SetMaxMessages(maxMessages); err != nil {
			return err
		}
	}
}
