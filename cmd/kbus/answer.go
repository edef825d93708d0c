package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// answering is how Requests are answered; exactly one of with, echo and exec is given.
type answering struct {
	with  string
	echo  bool
	exec  string
	fail  bool // a command of exec that fails makes a Status of the Reply
	count uint32
	print format
	bind  bindFlags
	card  cardFlag
}

func answerCommand(l *line) *cobra.Command {
	a := answering{print: formatMessage}
	c := &cobra.Command{
		Use:   "answer NAME",
		Short: "answer Requests",
		Long: `answer binds the name as Replier and answers each Request, one after the other,
until Ctrl-C, or --count Requests have been answered. It prints each Request when it
comes, and its Reply when it has been sent; if nobody waits for that any more, it
says so on standard error.

While the name cannot be bound only because a federation has not decided yet, or a
Listener to bind events has not caught up, it tries again, for --bind-for.

With --standby, and if the name has a Replier, it stands by, and becomes the Replier
in the moment when that one goes, however it goes.

With --card the name has a card while it answers, which kbus describe prints: a file
with a JSON object, its keys description, contentType and schema.

--exec runs CMD in a shell with the data of the Request on standard input. What it
writes to standard output is the Reply; if it fails, what it has written is the
Reply all the same. With --fail who asked gets the Status $.KBUS.Replier.Failed
then, whose data is the last line that CMD has written to standard error, or its
exit status. KBUS_NAME, KBUS_ID and KBUS_FROM tell CMD of the Request.`,
		Example: `kbus answer '$.Time' --exec date
kbus answer '$.Echo' --echo
kbus answer '$.Greeting' --with 'Good day'
kbus answer '$.Upper' --exec 'tr a-z A-Z' --count 3
kbus answer '$.Load' --exec 'cat /proc/loadavg' --fail
kbus answer '$.Echo' --echo --standby`,
		Args:              cli.Takes("NAME"),
		ValidArgsFunction: l.completeName(boundNames),
	}
	c.Flags().StringVar(&a.with, "with", "", "reply with `TEXT`")
	c.Flags().BoolVar(&a.echo, "echo", false, "reply with the data of the Request")
	c.Flags().StringVar(&a.exec, "exec", "", "reply with what `CMD` prints")
	c.Flags().BoolVar(&a.fail, "fail", false, "with --exec: if CMD fails, reply with a Status that says why")
	c.Flags().Var((*amount)(&a.count), "count", "end after N Requests")
	a.bind.register(c)
	a.card.register(c)
	registerFormat(c, &a.print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf(cmd, "with", "echo", "exec"); err != nil {
			return err
		}
		if a.fail && a.exec == "" {
			return cli.Misused("--fail is for --exec")
		}
		attach, err := a.card.read()
		if err != nil {
			return err
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		k, err := l.open(ctx)
		if err != nil {
			return err
		}
		defer k.Close()
		if err := l.bind(ctx, k, args[0], &a.bind); err != nil {
			if ctx.Err() != nil { // asked to end, which is no failure
				return nil
			}
			return err
		}
		if err := attach(ctx, k, args[0]); err != nil {
			return err
		}
		ready()
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
	return cli.Misused("exactly one of --" + strings.Join(flags, ", --") + " is needed")
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
		if err := l.printMessage(m, a.print); err != nil { // before the command, which may take long
			return answered, err
		}
		reply, err := l.reply(ctx, a, m)
		if ctx.Err() != nil && err != nil {
			return answered, nil
		}
		if err != nil {
			return answered, err
		}
		if err := l.sendReply(k, m, reply, a.print); err != nil {
			return answered, err
		}
		answered++
	}
	return answered, nil
}

// sendReply sends a Reply, and goes on if the Ksock that asked has gone: that is no failure.
func (l *line) sendReply(k *kbus.Ksock, request, reply *kbus.Message, print format) error {
	sent, err := k.Send(context.Background(), reply)
	if errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected) {
		l.reportFailure(fmt.Errorf("the Reply to %v was not delivered: %w", request.ID, err))
		return nil
	}
	if err != nil {
		return err
	}
	reply.ID, reply.From = sent.ID, k.ID()
	return l.printMessage(reply, print)
}
