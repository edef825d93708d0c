package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"kbus"
)

func listenCommand(l *line) *cobra.Command {
	var count, queue uint32
	var onlyOnce bool
	print := formatMessage
	c := &cobra.Command{
		Use:   "listen NAME...",
		Short: "print messages as they come",
		Long: `listen binds the names as Listener and prints each message that comes, until
Ctrl-C, or --count messages have come. Names may end in '%' (any word) or '*'
(any words). A message whose name matches twice comes twice; see --only-once.`,
		Example: `kbus listen '$.Actor.Speak'
kbus listen '$.*' --json
kbus listen '$.Actor.*' '$.Actor.Speak' --only-once
kbus listen '$.Actor.Speak' --count 1 --format raw`,
		Args:              takes("NAME..."),
		ValidArgsFunction: l.completeNames(boundNames),
	}
	c.Flags().Var((*amount)(&count), "count", "end after N messages")
	c.Flags().Var((*amount)(&queue), "queue", "N messages may wait for us, instead of the bus's default")
	c.Flags().BoolVar(&onlyOnce, "only-once", false, "print a message once, even if several of the names match it")
	registerFormat(c, &print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, done := untilSignal(cmd)
		defer done()
		k, err := l.open(kbus.ReadOnly())
		if err != nil {
			return err
		}
		defer k.Close()
		if err := prepare(k, args, queue, onlyOnce); err != nil {
			return err
		}
		l.remark("%v: listening to %s", k, strings.Join(args, " "))
		heard, err := l.listen(ctx, k, count, print)
		if err != nil {
			return err
		}
		l.remark("\r%s heard", plural(heard, "message"))
		return nil
	}
	return c
}

func prepare(k *kbus.Ksock, names []string, queue uint32, onlyOnce bool) error {
	if queue > 0 {
		if _, err := k.SetMaxMessages(queue); err != nil {
			return err
		}
	}
	if _, err := k.SetOnlyOnce(onlyOnce); err != nil {
		return err
	}
	for _, name := range names {
		if err := k.Bind(name, kbus.Listener); err != nil {
			return err
		}
	}
	return nil
}

// listen prints messages until ctx ends, which is no error, or enough have come. What is in the queue when ctx ends has
// been sent and has reached us, so it is printed as well; what comes after that is not.
func (l *line) listen(ctx context.Context, k *kbus.Ksock, count uint32, print format) (heard uint32, err error) {
	enough := func() bool { return count > 0 && heard == count }
	for !enough() {
		m, err := k.Receive(ctx)
		if ctx.Err() != nil && m == nil {
			break
		}
		if err == nil {
			err = l.printMessage(m, print)
		}
		if err != nil {
			return heard, err
		}
		heard++
	}
	left, err := k.NumMessages()
	for ; err == nil && left > 0 && !enough(); left-- {
		var m *kbus.Message
		if m, err = k.Next(); err != nil || m == nil { // none: only-once has swallowed it
			break
		}
		err = l.printMessage(m, print)
		heard++
	}
	return heard, err
}
