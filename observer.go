package kbus

import (
	"fmt"
	"sync/atomic"

	"kbus/internal/wire"
)

// Observer tells of a bus: who is on it and what they wait for. By itself it has no Ksock, so looking changes nothing
// that is looked at. Every Ksock is an Observer too.
type Observer struct {
	place *place
	conn  atomic.Pointer[conn]
}

// Bus is the number of the bus.
func (o *Observer) Bus() uint32 { return o.conn.Load().bus }

// String gives "Observer device 0", or "Observer device 0 (closed)".
func (o *Observer) String() string {
	c := o.conn.Load()
	if c.isClosed() {
		return fmt.Sprintf("Observer device %d (closed)", c.bus)
	}
	return fmt.Sprintf("Observer device %d", c.bus)
}

// Close ends the connection. It always succeeds, also a second time.
func (o *Observer) Close() error {
	o.conn.Load().end(true)
	return nil
}

// Who tells who would get a message of that name: its Replier, whose Ksock is 0 if there is none, and an entry for each
// Listener binding. ErrBadName and ErrNameTooLong as for sending.
func (o *Observer) Who(name string) (replier Party, listeners []Party, err error) {
	b, err := o.conn.Load().content(wire.OpWho, name)
	if err != nil {
		return Party{}, nil, err
	}
	first, rest, ok := wire.ParseWho(b)
	if !ok {
		return Party{}, nil, garbled(wire.OpWho)
	}
	for _, p := range rest {
		listeners = append(listeners, Party(p))
	}
	return Party(first), listeners, nil
}

// List tells of all Ksocks, the newest first.
func (o *Observer) List() ([]KsockInfo, error) {
	b, err := o.conn.Load().content(wire.OpList, "")
	if err != nil {
		return nil, err
	}
	entries, ok := wire.ParseList(b)
	if !ok {
		return nil, garbled(wire.OpList)
	}
	list := make([]KsockInfo, len(entries))
	for i, e := range entries {
		list[i] = ksockInfo(e)
	}
	return list, nil
}

// Info tells the figures of the whole bus.
func (o *Observer) Info() (BusInfo, error) {
	b, err := o.conn.Load().content(wire.OpInfo, "")
	if err != nil {
		return BusInfo{}, err
	}
	info, ok := wire.ParseInfo(b)
	if !ok {
		return BusInfo{}, garbled(wire.OpInfo)
	}
	return BusInfo(info), nil
}

// BindingsReport is the text that the original shows in /proc/kbus/bindings, for this bus (R8.2).
func (o *Observer) BindingsReport() (string, error) {
	b, err := o.conn.Load().content(wire.OpBindingsReport, "")
	return string(b), err
}

// StatsReport is the text that the original shows in /proc/kbus/stats, for this bus (R8.4 to R8.7).
func (o *Observer) StatsReport() (string, error) {
	b, err := o.conn.Load().content(wire.OpStatsReport, "")
	return string(b), err
}

// BindingInfo is one line of the bindings report.
type BindingInfo struct {
	Bus, Ksock, PID uint32
	As              Role
	Name            string
}

// Bindings is the bindings report as data, the newest binding first.
func (o *Observer) Bindings() ([]BindingInfo, error) {
	report, err := o.BindingsReport()
	if err != nil {
		return nil, err
	}
	return ParseBindingsReport(report)
}

func garbled(op wire.Op) error { return &Error{Op: verbs[op], Err: unexpected("of the wrong form")} }
