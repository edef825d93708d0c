package ordered

import (
	"context"
	"errors"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/retry"
)

// What the buses must allow: to send again what was sent elsewhere, and to know it again.

// carry makes a Ksock one that carries, without saying by which id others know its bus, and gives the incarnation of
// that.
func carry(ctx context.Context, k *kbus.Ksock) (incarnation uint32, err error) {
	incarnation, err = k.Bridge().Carry(ctx, 0)
	if errors.Is(err, kbus.ErrNotPermitted) {
		err = retry.Refuse("the daemon does not let this user join its buses to others, see its setting limpets: %w", err)
	}
	return incarnation, err
}

// isNamed reports whether other Limpets have given the outlet that network id. Then it takes messages of that member for its
// own that have come round, and drops them. A bus does not give its id away, but it refuses every other one.
func (out *outlet) isNamed(ctx context.Context, network uint32) (bool, error) {
	k, err := out.Outlet(ctx)
	if err != nil {
		return false, err
	}
	defer k.Close()
	if _, err := k.Bridge().Carry(ctx, another(network)); !errors.Is(err, kbus.ErrOtherNetwork) {
		return false, err
	}
	_, err = k.Bridge().Carry(ctx, network)
	if errors.Is(err, kbus.ErrOtherNetwork) {
		return false, nil
	}
	return err == nil, err
}

// another is a network id that is not that one.
func another(network uint32) uint32 { return network ^ 1<<31 | 1 }

func refuseName(bus kbus.BusNumber, network uint32) error {
	return retry.Refuse("bus %d is known to another Limpet on it as %d, so it drops what bowl %d orders: "+
		"let the bowl that is joined there have another --id, or another bus", bus, network, network)
}
