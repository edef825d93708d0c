package ordered

import (
	"context"
	"errors"

	"kbus"
	"kbus/limpet/federation/office"
)

// What the buses must allow: to say again what was said elsewhere, and to know it again.

// carry makes a Ksock one that carries, without saying by which id others know its bus, and gives the incarnation of
// that.
func carry(k *kbus.Ksock) (incarnation uint32, err error) {
	incarnation, err = k.Carry(0)
	if errors.Is(err, kbus.ErrNotPermitted) {
		err = office.Refuse("the daemon does not let this user join its buses to others, see its setting limpets: %w", err)
	}
	return incarnation, err
}

// isNamed tells whether other Limpets have given the outlet that network id. Then it takes what that bowl says for its
// own words that have come round, and drops it. A bus does not tell its id, but what it is not is refused.
func (out *outlet) isNamed(ctx context.Context, network uint32) (bool, error) {
	k, err := out.Outlet(ctx)
	if err != nil {
		return false, err
	}
	defer k.Close()
	if _, err := k.Carry(another(network)); !errors.Is(err, kbus.ErrOtherNetwork) {
		return false, err
	}
	_, err = k.Carry(network)
	if errors.Is(err, kbus.ErrOtherNetwork) {
		return false, nil
	}
	return err == nil, err
}

// another is a network id that is not that one.
func another(network uint32) uint32 { return network ^ 1<<31 | 1 }

func refuseName(bus, network uint32) error {
	return office.Refuse("bus %d is known to another Limpet on it as %d, so it drops what bowl %d orders: "+
		"let the bowl that is joined there have another --id, or another bus", bus, network, network)
}
