package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/cmd/kbus/keep"
)

// kbus keep: a Replier that answers with what was announced last. One Ksock both listens and answers, so that the order of
// the bus holds for it: who asks after an Announcement gets that value or a later one.

type keeping struct {
	*line
	limits keep.Limits
	queue  uint32
	path   string
	every  time.Duration
	bind   bindFlags

	ksock *kbus.Ksock
	file  *keep.File // nil: values die with us

	lock    sync.Mutex // over what follows, which the writer of the file looks at
	memory  *keep.Memory
	changed bool
	full    bool // it has been said that something is not kept
}

func keepCommand(l *line) *cobra.Command {
	k := &keeping{line: l, limits: keep.Limits{Names: 10000, Bytes: 16 << 20}, queue: 1000}
	c := &cobra.Command{
		Use:   "keep NAME...",
		Short: "remember the last value of names, and answer for them",
		Long: `keep listens to the names, which usually are wildcards, remembers the data of the
last Announcement of each name, and as Replier for them answers a Request of a name
with it. So who comes late asks for what was announced before. A name with a Replier
of its own is answered by that one, as ever; if nothing is known of a name, who asks
gets a Status that says so.

With --file the values survive: a new file takes the place of the old one in one
step, at most once in --every, and at the end. A kill -9 costs what came after the last.`,
		Example: `kbus keep '$.State.*'
kbus keep '$.State.*' '$.Config.%' --file ~/state.kept
kbus keep '$.Weather.*' --max-age 1h --max-names 100`,
		Args:              cli.Takes("NAME..."),
		ValidArgsFunction: l.completeNames(boundNames),
	}
	f := c.Flags()
	f.StringVar(&k.path, "file", "", "keep the values in `FILE`, too")
	cli.SpanVar(f, &k.every, "every", time.Second, "write the file at most once in that `time`")
	cli.SpanVar(f, &k.limits.Age, "max-age", 0, "a value is good for that `time`; 0 is for ever")
	f.IntVar(&k.limits.Names, "max-names", k.limits.Names, "remember the values of `N` names")
	f.Int64Var(&k.limits.Bytes, "max-bytes", k.limits.Bytes, "remember `N` bytes of names and values")
	f.Var((*amount)(&k.queue), "queue", "N messages may wait for us")
	k.bind.register(c)
	c.RunE = func(cmd *cobra.Command, names []string) error {
		if k.limits.Names < 1 || k.limits.Bytes < 1 {
			return cli.Misused("--max-names and --max-bytes are numbers from 1")
		}
		for i, name := range names {
			if slices.Contains(names[:i], name) { // which would be said to have a Replier already: ourselves
				return cli.Misused(name + " is given twice")
			}
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return k.run(ctx, names)
	}
	return c
}

func (k *keeping) run(ctx context.Context, names []string) (err error) {
	k.memory = keep.New(k.limits)
	if k.path != "" {
		if k.file, err = keep.Open(k.path); err != nil {
			return err
		}
		defer k.file.Close()
		if err := k.load(); err != nil {
			return err
		}
	}
	if k.ksock, err = k.open(ctx, kbus.ReadAhead(16)); err != nil {
		return err
	}
	defer k.ksock.Close()
	// Listener first: a Request must find what was announced before it.
	if err := prepare(ctx, k.ksock, names, k.queue, true); err != nil {
		return err
	}
	for _, name := range names {
		if err := k.line.bind(ctx, k.ksock, name, &k.bind); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	ready()
	k.remark("%v: keeping %s", k.ksock, strings.Join(names, " "))
	writing, stop := context.WithCancel(ctx)
	written := make(chan struct{})
	go func() {
		defer close(written)
		k.writeFile(writing)
	}()
	err = k.serve(ctx)
	stop()
	<-written
	return firstError(err, k.save())
}

// load takes over what the file has, and finds out at once whether it can be written. It is not, if something of it would be lost.
func (k *keeping) load() error {
	all, err := k.file.Load()
	if err != nil {
		return err
	}
	now := time.Now()
	for _, e := range all {
		if err := k.memory.Remember(e.Name, e.Value, now); err != nil {
			return fmt.Errorf("%s has %s, more than may be kept: %w; raise --max-names or --max-bytes, or move it away", k.path, plural(len(all), "value"), err)
		}
	}
	k.changed = true
	return k.save()
}

// serve listens and answers until ctx ends, which is no error. What has reached the queue by then still counts.
func (k *keeping) serve(ctx context.Context) error {
	_, err := k.listen(ctx, k.ksock, 0, k.deal)
	return err
}

func (k *keeping) deal(m *kbus.Message) error {
	if m.Missed > 0 {
		k.note(plural(m.Missed, "message") + " missed before " + m.ID.String() + ": values may be older than the last (see --queue)")
	}
	now := time.Now()
	switch {
	case m.WantsUsToReply():
		return k.answer(m, now)
	case !m.IsRequest() && !m.IsReply() && m.Flags&kbus.Synthetic == 0:
		k.remember(m.Name, keep.Value{Data: m.Data, At: now}, now)
	}
	return nil
}

func (k *keeping) remember(name string, v keep.Value, now time.Time) {
	k.lock.Lock()
	err := k.memory.Remember(name, v, now)
	first := err != nil && !k.full
	k.changed, k.full = true, k.full || err != nil
	k.lock.Unlock()
	if first {
		k.note(fmt.Sprintf("%s is not kept: %v (see --max-names and --max-bytes). The next are not told of", name, err))
	}
}

// answer sends the value, or why there is none. That who asked has gone is no failure.
func (k *keeping) answer(request *kbus.Message, now time.Time) error {
	k.lock.Lock()
	v, unknown := k.memory.Recall(request.Name, now)
	k.lock.Unlock()
	var reply *kbus.Message
	err := unknown
	if err == nil {
		if reply, err = request.Reply(v.Data); err == nil {
			_, err = k.ksock.Send(context.Background(), reply)
		}
	}
	if err == nil || goneBefore(err) {
		return nil
	}
	if reply, err = request.Fail(err.Error()); err == nil {
		_, err = k.ksock.Send(context.Background(), reply)
	}
	if goneBefore(err) {
		return nil
	}
	return err
}

// goneBefore is true when nobody waits for the Reply any more.
func goneBefore(err error) bool {
	return errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected)
}

// writeFile writes the file when something has changed, until ctx ends. When it cannot be written that is said once, and tried
// again.
func (k *keeping) writeFile(ctx context.Context) {
	if k.file == nil {
		return
	}
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(k.every, time.Millisecond)):
		}
		err := k.save()
		if err != nil && !failing {
			k.note(fmt.Sprintf("the values could not be written, and are only in memory: %v; trying again", err))
		}
		if err == nil && failing {
			k.note("the values are written again")
		}
		failing = err != nil
	}
}

// save writes the file if something has changed.
func (k *keeping) save() error {
	k.lock.Lock()
	var all []keep.Entry
	changed := k.changed && k.file != nil
	if changed {
		all = k.memory.All()
		k.changed = false
	}
	k.lock.Unlock()
	if !changed {
		return nil
	}
	err := k.file.Save(all)
	if err != nil {
		k.lock.Lock()
		k.changed = true
		k.lock.Unlock()
	}
	return err
}
