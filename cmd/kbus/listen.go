package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// kbus listen: a Listener at the shell. It prints messages as they come, and on standard error how many it missed and
// where.

func listenCommand(l *line) *cobra.Command {
	var count, queue uint32
	var onlyOnce, verbose bool
	print := formatMessage
	c := &cobra.Command{
		Use:   "listen NAME...",
		Short: "print messages as they come",
		Long: `listen binds the names as Listener and prints each message that comes, until
Ctrl-C, or --count messages have come. Names may end in '%' (any word) or '*'
(any words). A message whose name matches twice comes twice; see --only-once.

Who does not read as fast as messages come misses some. listen says on standard error
how many, and where; with --json the message after the gap has a number "missed".

Data that is text is shown as such. Of other data the length is shown, and the first
bytes as hexadecimal digits; --format raw and --json have all of it.`,
		Example: `kbus listen '$.Actor.Speak'
kbus listen '$.*' --json
kbus listen '$.Actor.*' '$.Actor.Speak' --only-once
kbus listen '$.*' --verbose
kbus listen '$.Actor.Speak' --count 1 --format raw`,
		Args:              cli.Takes("NAME..."),
		ValidArgsFunction: l.completeNames(boundNames),
	}
	c.Flags().Var((*amount)(&count), "count", "end after N messages")
	c.Flags().Var((*amount)(&queue), "queue", "N messages may wait for us, instead of the bus's default")
	c.Flags().BoolVar(&onlyOnce, "only-once", false, "print a message once, even if several of the names match it")
	c.Flags().BoolVar(&verbose, "verbose", false, "print also when each message came, who sent it, and its traceparent")
	registerFormat(c, &print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		k, err := l.open(ctx, kbus.ReadOnly())
		if err != nil {
			return err
		}
		defer k.Close()
		if err := prepare(ctx, k, args, queue, onlyOnce); err != nil {
			return err
		}
		l.remark("%v: listening to %s", k, strings.Join(args, " "))
		h := &hearer{line: l, ksock: k, print: print, verbose: verbose}
		received, err := l.listen(ctx, k, count, h.received)
		if err != nil {
			return err
		}
		if count == 0 {
			h.end()
		}
		l.remark("\r%s heard", plural(received, "message"))
		return nil
	}
	return c
}

func prepare(ctx context.Context, k *kbus.Ksock, names []string, queue uint32, onlyOnce bool) error {
	ctx, done := soon(ctx)
	defer done()
	if queue > 0 {
		if _, err := k.Queue().SetLimit(ctx, queue); err != nil {
			return err
		}
	}
	if _, err := k.Queue().SetOnlyOnce(ctx, onlyOnce); err != nil {
		return err
	}
	for _, name := range names {
		if err := k.Bind(ctx, name, kbus.Listener); err != nil {
			return err
		}
	}
	return nil
}

// hearer prints messages as they come, and says where some are missing; with verbose, or as JSON, with who has sent them.
type hearer struct {
	*line
	ksock   *kbus.Ksock
	print   format
	verbose bool
	last    string // id of the message that came last
	known   uint64 // messages that are known to be missing
	senders map[kbus.KsockID]*kbus.Peer
}

func (h *hearer) received(m *kbus.Message) error {
	var c circumstances
	if h.verbose {
		c.came, c.trace = time.Now(), m.Trace
	}
	if h.verbose || h.JSON {
		c.sender = h.sender(m)
	}
	if m.Missed > 0 {
		where := "before " + m.ID.String()
		if h.last != "" {
			where = "between " + h.last + " and " + m.ID.String()
		}
		h.missed(m.Missed, where)
	}
	h.last = m.ID.String()
	return h.printReceived(m, h.print, c)
}

// missed says on standard error that there is a gap.
func (h *hearer) missed(n uint32, where string) {
	h.known += uint64(n)
	fmt.Fprintf(h.err, "%s missed %s: the queue was full (see --queue)\n", plural(n, "message"), where)
}

// end says what has been missed after the last message.
func (h *hearer) end() {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	total, err := h.ksock.Queue().Missed(ctx)
	if err != nil || total <= h.known {
		return
	}
	where := "at the end"
	if h.last != "" {
		where = "after " + h.last
	}
	h.missed(uint32(total-h.known), where)
}

const mostSenders = 1024 // that are remembered

// sender is the process that has sent a message, nil when the bus does not know it any more or has made the message.
func (h *hearer) sender(m *kbus.Message) *kbus.Peer {
	if p, known := h.senders[m.From]; known || m.From == 0 {
		return p
	}
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	p, err := h.ksock.Observer().Peer(ctx, m)
	if err != nil {
		return nil
	}
	if len(h.senders) >= mostSenders || h.senders == nil {
		h.senders = map[kbus.KsockID]*kbus.Peer{}
	}
	h.senders[m.From] = &p
	return &p
}

// listen prints messages until ctx ends, which is no error, or enough have come. What is in the queue when ctx ends has
// been sent and has reached us, so it is printed as well; what comes after that is not.
func (l *line) listen(ctx context.Context, k *kbus.Ksock, count uint32, print func(*kbus.Message) error) (received uint32, err error) {
	enough := func() bool { return count > 0 && received == count }
	for !enough() {
		m, err := k.Receive(ctx)
		if ctx.Err() != nil && m == nil {
			break
		}
		if err == nil {
			err = print(m)
		}
		if err != nil {
			return received, err
		}
		received++
	}
	rest, done := soon(context.WithoutCancel(ctx))
	defer done()
	left, err := k.Queue().Len(rest)
	for ; err == nil && left > 0 && !enough(); left-- {
		var m *kbus.Message
		if m, err = k.Next(rest); err != nil || m == nil { // none: only-once has swallowed it
			break
		}
		err = print(m)
		received++
	}
	return received, err
}
