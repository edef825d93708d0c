package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"kbus"
)

// answering is how Requests are answered; exactly one of with, echo and exec is given.
type answering struct {
	with  string
	echo  bool
	exec  string
	count uint32
	print format
}

func answerCommand(l *line) *cobra.Command {
	a := answering{print: formatMessage}
	c := &cobra.Command{
		Use:   "answer NAME",
		Short: "answer Requests",
		Long: `answer binds the name as Replier and answers each Request, one after the other,
until Ctrl-C, or --count Requests have been answered. It prints each Request and
its Reply.

--exec runs CMD in a shell with the data of the Request on standard input. What it
writes to standard output is the Reply; if it fails, what it has written is the
Reply all the same. KBUS_NAME, KBUS_ID and KBUS_FROM tell CMD of the Request.`,
		Example: `kbus answer '$.Time' --exec date
kbus answer '$.Echo' --echo
kbus answer '$.Greeting' --with 'Good day'
kbus answer '$.Upper' --exec 'tr a-z A-Z' --count 3`,
		Args:              takes("NAME"),
		ValidArgsFunction: l.completeName(boundNames),
	}
	c.Flags().StringVar(&a.with, "with", "", "reply with `TEXT`")
	c.Flags().BoolVar(&a.echo, "echo", false, "reply with the data of the Request")
	c.Flags().StringVar(&a.exec, "exec", "", "reply with what `CMD` prints")
	c.Flags().Var((*amount)(&a.count), "count", "end after N Requests")
	registerFormat(c, &a.print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf(cmd, "with", "echo", "exec"); err != nil {
			return err
		}
		ctx, done := untilSignal(cmd)
		defer done()
		k, err := l.open()
		if err != nil {
			return err
		}
		defer k.Close()
		if err := k.Bind(args[0], kbus.Replier); err != nil {
			return err
		}
		l.remark("%v: answering %s", k, args[0])
		answered, err := l.answer(ctx, k, &a)
		if err == nil {
			l.remark("\r%s answered", plural(answered, "Request"))
		}
		return err
	}
	return c
}

func oneOf(cmd *cobra.Command, flags ...string) error {
	given := 0
	for _, f := range flags {
		if cmd.Flags().Changed(f) {
			given++
		}
	}
	if given == 1 {
		return nil
	}
	return misused("exactly one of --" + strings.Join(flags, ", --") + " is needed")
}

// answer answers until ctx ends, which is no error, or enough are answered. A Request that was taken from the queue
// when ctx ended is still answered, unless its command has to be stopped; then who asked gets a Status, because we
// close.
func (l *line) answer(ctx context.Context, k *kbus.Ksock, a *answering) (answered uint32, err error) {
	for a.count == 0 || answered < a.count {
		m, err := k.Receive(ctx)
		switch {
		case ctx.Err() != nil && m == nil:
			return answered, nil
		case err != nil:
			return answered, err
		case !m.WantsUsToReply():
			continue
		}
		data, err := a.reply(ctx, l.err, m)
		if ctx.Err() != nil && err != nil {
			return answered, nil
		}
		if err != nil {
			return answered, err
		}
		if err := l.printMessage(m, a.print); err != nil {
			return answered, err
		}
		if err := l.sendReply(k, m, data, a.print); err != nil {
			return answered, err
		}
		answered++
	}
	return answered, nil
}

// sendReply goes on when who asked is not there any more: that is nobody's fault.
func (l *line) sendReply(k *kbus.Ksock, request *kbus.Message, data []byte, print format) error {
	reply, err := kbus.ReplyTo(request, data)
	if err != nil {
		return err
	}
	sent, err := k.Send(context.Background(), reply)
	if errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected) {
		l.remark("%v: who asked has gone", request.ID)
		return nil
	}
	if err != nil {
		return err
	}
	reply.ID, reply.From = sent.ID, k.ID()
	return l.printMessage(reply, print)
}
