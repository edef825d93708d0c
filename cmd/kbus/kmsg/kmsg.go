// Package kmsg is the original's utility of that name, for scripts and hands that know it: the same
// command line, lines and exit statuses. `kbus` started by the name kmsg is this. New scripts use kbus itself.
//
// What was wrong with it is not kept: data from standard input has no stray byte, an odd digit is an error, empty
// data is no data, and --bus without a number shows the usage.
package kmsg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"kbus.example/kbus"
)

// Exit statuses (R10.73). Those of listening and of sending overlap, as they always did.
const (
	statusNoArguments = 1
	statusListenArgs  = 2 // listen, reply: a wrong number of arguments
	statusSendArgs    = 3 // send, call: the same
	statusBadCommand  = 4
	statusListenOpen  = 10
	statusListenBind  = 11
	statusSendOpen    = 20
	statusSendFailed  = 21
	statusBadData     = 22
	statusReadFailed  = 2
	statusWaitFailed  = 3
	usage             = `usage: kmsg [--bus N] [-v|--verbose] [--dump] [--full] COMMAND, the options in that order

  listen NAME           print the messages of that name, for ever
  reply NAME            the same as Replier, and answer each with an empty Reply
  send NAME FMT DATA    send an Announcement
  call NAME FMT DATA    send a Request, and print what comes until its Reply
  send|call NAME -      with data from standard input

FMT says what DATA is: s the bytes of a string, z the same and a zero byte, h pairs of
hexadecimal digits, - nothing but standard input; with any other there is no data.
`
)

// kmsg is one run.
type kmsg struct {
	in       io.Reader
	out, err io.Writer

	bus                 uint32
	verbose, dump, full bool
}

// status is an error with the exit status that it has.
type status struct {
	error
	number int
}

func failed(number int, err error) error { return status{err, number} }

// Main is main, with the exit status as its result.
func Main(args []string, in io.Reader, out, err io.Writer) int {
	k := &kmsg{in: in, out: out, err: err}
	failure := k.run(args)
	var s status
	if !errors.As(failure, &s) {
		return 0
	}
	if s.error == nil {
		fmt.Fprint(err, usage)
	} else {
		fmt.Fprintf(err, "kmsg: %v\n", s.error)
	}
	return s.number
}

// misused shows the usage.
func misused(number int) error { return status{nil, number} }

func (k *kmsg) run(args []string) error {
	if len(args) == 0 {
		return misused(statusNoArguments)
	}
	args, ok := k.options(args)
	if !ok || len(args) == 0 {
		return misused(statusListenArgs)
	}
	command, args := args[0], args[1:]
	switch command {
	case "listen", "reply":
		if len(args) != 1 {
			return misused(statusListenArgs)
		}
		return k.listen(args[0], command == "reply")
	case "send", "call":
		if len(args) != 3 && (len(args) != 2 || args[1] != "-") {
			return misused(statusSendArgs)
		}
		data, err := k.data(args[1:])
		if err != nil {
			return failed(statusBadData, err)
		}
		return k.send(command, args[0], data)
	}
	return misused(statusBadCommand)
}

// options takes the options in their one order, and gives what is left.
func (k *kmsg) options(args []string) (rest []string, ok bool) {
	is := func(names ...string) bool {
		for _, name := range names {
			if len(args) > 0 && args[0] == name {
				args = args[1:]
				return true
			}
		}
		return false
	}
	if is("--bus", "-bus") {
		if len(args) == 0 {
			return nil, false
		}
		n, err := strconv.ParseUint(args[0], 10, 32)
		if err != nil {
			return nil, false
		}
		k.bus, args = uint32(n), args[1:]
	}
	k.verbose = is("-v", "--verbose")
	k.dump = is("--dump")
	k.full = is("--full")
	return args, true
}

// open opens a Ksock.
func (k *kmsg) open(number int, opts ...kbus.Option) (*kbus.Ksock, error) {
	s, err := kbus.Open(context.Background(), kbus.BusNumber(k.bus), opts...)
	if err != nil {
		return nil, failed(number, fmt.Errorf("cannot open bus %d: %w", k.bus, err))
	}
	if k.verbose {
		fmt.Fprintf(k.err, "%v\n", s)
	}
	return s, nil
}

// listen prints messages for ever, and answers them if asked to.
func (k *kmsg) listen(name string, asReplier bool) error {
	s, err := k.open(statusListenOpen)
	if err != nil {
		return err
	}
	defer s.Close()
	role := kbus.Listener
	if asReplier {
		role = kbus.Replier
	}
	fmt.Fprintf(k.out, "Binding as %v to '%s'\n", role, name)
	if err := s.Bind(context.Background(), name, role); err != nil {
		return failed(statusListenBind, fmt.Errorf("cannot bind: %w", err))
	}
	fmt.Fprintf(k.out, "..bound on ksock id %d\n", s.ID())
	for {
		m, err := s.Receive(context.Background())
		if err != nil {
			return failed(statusReadFailed, err)
		}
		k.print(m)
		if asReplier && m.WantsUsToReply() {
			if err := k.reply(s, m); err != nil {
				return err
			}
		}
	}
}

// reply sends an empty Reply. If the Ksock that asked has gone meanwhile, reply prints that and goes on.
func (k *kmsg) reply(s *kbus.Ksock, request *kbus.Message) error {
	m, err := request.Reply(nil)
	if err != nil {
		return failed(statusSendFailed, err)
	}
	sent, err := s.Send(context.Background(), m)
	switch {
	case errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected):
		fmt.Fprintf(k.err, "kmsg: cannot reply: %v\n", err)
		return nil
	case err != nil:
		return failed(statusSendFailed, fmt.Errorf("cannot reply: %w", err))
	}
	m.ID = sent.ID
	fmt.Fprint(k.out, "Sent ")
	k.print(m)
	return nil
}

// print writes a message as the options want it.
func (k *kmsg) print(m *kbus.Message) {
	if k.dump {
		fmt.Fprint(k.out, Dump(m))
		return
	}
	fmt.Fprintln(k.out, Line(m, !k.full))
}
