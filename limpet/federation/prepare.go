package federation

import (
	"context"
	"errors"
	"fmt"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/parts"
	"kbus.example/kbus/limpet/federation/report"
	"kbus.example/kbus/limpet/federation/retry"
)

// What a session's Ksock must be before anything flows: one that carries what was sent elsewhere, and that receives all
// that is shared. Its queue is large only while the bus reports the Repliers that are there already.

// prepare makes the Ksock one that carries, and refuses a NATS server that would not carry a part of a long message.
// longest is how long envelopes may be that come in parts: as long as our bus might ever take.
func (m *Member) prepare(ctx context.Context, k *kbus.Ksock) (bus envelope.Bus, longest int, err error) {
	if _, err := k.Queue().SetLimit(ctx, reportMessages); err != nil {
		return bus, 0, err
	}
	if _, err := k.Queue().SetOnlyOnce(ctx, true); err != nil {
		return bus, 0, err
	}
	bus.Member = m.ID
	switch bus.Incarnation, err = k.Bridge().Carry(ctx, m.ID); {
	case errors.Is(err, kbus.ErrOtherNetwork):
		return bus, 0, retry.Refuse("--id %d is not what the other Limpets of bus %d say; a bus has one network id, and all its "+
			"Limpets give it: %w", m.ID, k.Bus(), err)
	case err != nil:
		return bus, 0, err
	}
	if carried := m.nc.MaxPayload(); carried < parts.Most {
		return bus, 0, retry.Refuse("the NATS server carries messages of %d bytes at most (max_payload), and a federation needs %d",
			carried, parts.Most)
	}
	most, err := k.Settings().AbsMaxMessageBytes(ctx)
	return bus, int(most) + longer, err
}

// bindNames has the Ksock receive bind events, those of the Repliers that are there already first, and what is shared.
func (m *Member) bindNames(ctx context.Context, k *kbus.Ksock) error {
	if err := k.Bind(ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		return err
	}
	if _, err := k.Settings().SetReportReplierBinds(ctx, true); err != nil {
		return err
	}
	switch err := k.Bind(ctx, report.Name, kbus.Replier); {
	case errors.Is(err, kbus.ErrReplierBound): // an ordered member may have this bus too
		m.Log.Info("somebody else tells on this bus how its federation looks, and this bowl does not", "bus", k.Bus())
	case err != nil:
		return err
	}
	for _, name := range m.Names {
		if err := k.Bind(ctx, name, kbus.Listener); err != nil {
			return fmt.Errorf("sharing %s: %w", name, err)
		}
	}
	_, err := k.Queue().SetLimit(ctx, queueMessages)
	return err
}
