// Package kspeed is the original's utility of that name: it sends or receives messages without end, and says how
// fast after every thousand. `kbus` started by the name kspeed is this; `kbus bench` measures better.
package kspeed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"kbus.example/kbus"
)

const (
	batch = 1000
	fill  = 0x55 // every byte of the data

	usage = `usage: kspeed [-bus N] send NAME BYTES
       kspeed [-bus N] listen NAME
`
	statusUsage  = 1
	statusFailed = 2
)

// kspeed is one run.
type kspeed struct {
	bus   uint32
	name  string
	bytes int
	out   io.Writer
	now   func() time.Time
}

// Main is main, with the exit status as its result. It ends when something goes wrong.
func Main(args []string, out, err io.Writer) int {
	k := &kspeed{out: out, now: time.Now}
	run := k.parse(args)
	if run == nil {
		fmt.Fprint(err, usage)
		return statusUsage
	}
	fmt.Fprintf(err, "kspeed: %v\n", run(context.Background()))
	return statusFailed
}

// parse gives what is to be done, nil if that cannot be understood.
func (k *kspeed) parse(args []string) func(context.Context) error {
	if len(args) > 1 && (args[0] == "-bus" || args[0] == "--bus") {
		n, err := strconv.ParseUint(args[1], 10, 32)
		if err != nil {
			return nil
		}
		k.bus, args = uint32(n), args[2:]
	}
	switch {
	case len(args) == 3 && args[0] == "send":
		n, err := strconv.ParseUint(args[2], 10, 30)
		if err != nil {
			return nil
		}
		k.name, k.bytes = args[1], int(n)
		return k.send
	case len(args) == 2 && args[0] == "listen":
		k.name = args[1]
		return k.listen
	}
	return nil
}

func (k *kspeed) send(ctx context.Context) error {
	if k.bytes == 0 {
		return errors.New("cannot send messages of 0 bytes") // as it always was (R10.5)
	}
	s, err := kbus.Open(ctx, kbus.BusNumber(k.bus))
	if err != nil {
		return err
	}
	defer s.Close()
	most, err := s.Settings().AbsMaxMessageBytes(ctx)
	if err != nil {
		return err
	}
	if uint64(k.bytes) > uint64(most) {
		return kbus.ErrMessageTooLong
	}
	m := kbus.Announcement(k.name, bytes.Repeat([]byte{fill}, k.bytes))
	fmt.Fprintf(k.out, "> Sending %d bytes to %s on /dev/kbus%d .. \n", k.bytes, k.name, k.bus)
	return k.batches("Sent", func() error {
		_, err := s.Send(ctx, m)
		if errors.Is(err, kbus.ErrInterrupted) {
			return nil
		}
		return err
	})
}

func (k *kspeed) listen(ctx context.Context) error {
	s, err := kbus.Open(ctx, kbus.BusNumber(k.bus), kbus.ReadOnly())
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Bind(ctx, k.name, kbus.Listener); err != nil {
		return err
	}
	fmt.Fprintf(k.out, "> Listening to %s on /dev/kbus%d .. \n", k.name, k.bus)
	var m kbus.Message
	return k.batches("Recvd", func() error { return s.ReceiveInto(ctx, &m) })
}

// batches does something a thousand times and says how long that took, for as long as it goes well.
func (k *kspeed) batches(did string, do func() error) error {
	for {
		began := k.now()
		for range batch {
			if err := do(); err != nil {
				return err
			}
		}
		ms := float64(k.now().Sub(began)) / float64(time.Millisecond)
		fmt.Fprintf(k.out, "> %s %d messages in %.3f ms => %.3f msgs/ms \n", did, batch, ms, batch/ms)
	}
}
