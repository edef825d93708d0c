package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/requests"
	"kbus.example/kbus/message"
)

// kbus watch: a watchdog for Repliers. A Replier that dies needs none, since its Requests get a Status; one that hangs does. The
// watch sees on a tap which Request waits since when, and asks the Replier nothing, so a healthy one is not disturbed.
//
// It must never accuse the innocent. So what it did not see does not count: time in which it did not run itself, and Requests
// that were open when it lost events or had not begun.

type watching struct {
	*line
	patterns []string
	patience time.Duration
	command  []string
	count    uint32

	observer *kbus.Observer
	open     requests.Open
	last     time.Time  // tick
	fed      time.Time  // when systemd was last told that all is well
	next     backoff    // alarm
	running  chan error // of the command; nil: it does not run
	alarms   uint32
}

// backoff is how long there is no alarm after one.
type backoff struct {
	pause time.Duration
	until time.Time
}

func watchCommand(l *line) *cobra.Command {
	w := &watching{line: l, open: requests.Open{}}
	c := &cobra.Command{
		Use:   "watch NAME... [-- COMMAND...]",
		Short: "raise the alarm when a Replier does not answer",
		Long: `watch looks on (as kbus monitor does) and raises the alarm when a Request of one of
the names has lain with its Replier for longer than --restart-if. It prints a line and
runs COMMAND, which finds KBUS_NAME, KBUS_ID, KBUS_REPLIER (Ksock), KBUS_PID (process
of the Replier) and KBUS_WAITED (seconds) in its environment. Without COMMAND, in a
unit of systemd with WatchdogSec= and NotifyAccess=all, it keeps the watchdog of the
unit content while all is well, and triggers it on alarm, so that the unit restarts.

As long as the Request still waits the alarm comes again, after twice the time, and so
on to sixteen times. Requests from before watch has begun are not known to it.`,
		Example: `kbus watch '$.Lamp.*' --restart-if 5s -- systemctl restart lamps
kbus watch '$.Lamp.*' --restart-if 5s -- sh -c 'kill -9 $KBUS_PID'
kbus watch '$.*' --restart-if 1m --count 1`,
		ValidArgsFunction: l.completeNames(boundNames),
	}
	cli.SpanVar(c.Flags(), &w.patience, "restart-if", 5*time.Second, "how long a Replier may take for an answer")
	c.Flags().Var((*amount)(&w.count), "count", "end after N alarms")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if at := cmd.ArgsLenAtDash(); at >= 0 {
			args, w.command = args[:at], args[at:]
		}
		if len(args) == 0 {
			return cli.Misused("NAME is missing")
		}
		if w.patience <= 0 {
			return cli.Misused("--restart-if is a time: 5s, 2m")
		}
		for _, name := range args {
			if c := message.CheckBinding(name); c != message.OK {
				return &kbus.Error{Op: "watch", Name: name, Err: c, Text: message.NameFault([]byte(name), false, true)}
			}
		}
		w.patterns = args
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		if err := w.run(ctx); ctx.Err() == nil {
			return err
		}
		return nil // it has been ended, whatever it was at
	}
	return c
}

// tick is how often it looks, and most of that may be slept through.
func (w *watching) tick() time.Duration {
	return min(max(w.patience/10, 5*time.Millisecond), time.Second/4)
}

func (w *watching) run(ctx context.Context) error {
	o, err := w.observe(ctx, kbus.BusNumber(w.Bus))
	if err != nil {
		return err
	}
	defer o.Close()
	w.observer = o
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := o.Tap(ctx, kbus.TapFilter{
		Kinds: []kbus.EventKind{kbus.EventSent, kbus.EventTaken, kbus.EventStatus}, Messages: []kbus.Kind{kbus.RequestKind, kbus.ReplyKind}, MaxData: -1,
	})
	if err != nil {
		return err
	}
	w.remark("%v: watching %s", o, strings.Join(w.patterns, " "))
	came, ended := flow(ctx, events)
	ticks := time.NewTicker(w.tick())
	defer ticks.Stop()
	w.last, w.next.pause = time.Now(), w.patience
	w.content(w.last)
	for w.count == 0 || w.alarms < w.count || w.running != nil {
		select {
		case e := <-came:
			w.event(e, time.Now())
		case now := <-ticks.C:
			if err := w.look(ctx, now); err != nil {
				return err
			}
		case err := <-w.running:
			w.running, w.next.until = nil, time.Now().Add(w.next.pause)
			if err != nil && ctx.Err() == nil {
				w.reportFailure(fmt.Errorf("%s: %w", strings.Join(w.command, " "), err))
			}
		case err := <-ended:
			if ctx.Err() == nil {
				return err
			}
			if w.running != nil {
				<-w.running
			}
			return nil
		}
	}
	return nil
}

// event follows Requests. The clock is our own, which never jumps, and begins when the Replier has the Request.
func (w *watching) event(e *kbus.Event, now time.Time) {
	if e.Lost > 0 { // there may be answers among those
		clear(w.open)
		w.note(plural(e.Lost, "event") + " lost: Requests that were open just now are not watched")
	}
	if e.Event == kbus.EventSent && e.IsRequest() && !w.concerns(e.Message.Name) {
		return
	}
	if r := w.open.Note(e); r != nil && !r.Answered && e.Event == kbus.EventSent {
		r.Sent = now
	}
}

func (w *watching) concerns(name string) bool {
	for _, p := range w.patterns {
		if message.Matches(p, name) {
			return true
		}
	}
	return false
}

// look raises the alarm about what has waited longest, if that is too long.
func (w *watching) look(ctx context.Context, now time.Time) error {
	slept := now.Sub(w.last) - 2*w.tick()
	w.last = now
	if slept > 0 { // we were stopped, or starved: perhaps the answers are there and we have not looked
		for _, r := range w.open {
			r.Sent = r.Sent.Add(slept + 2*w.tick())
		}
	}
	var hangs *requests.Request
	for _, r := range w.open.OlderThan(now.Add(-w.patience)) {
		if r.Replier != 0 {
			hangs = r
			break
		}
	}
	if hangs == nil {
		w.content(now)
		return nil
	}
	if w.running != nil || now.Before(w.next.until) {
		return nil
	}
	w.alarms++
	w.next.pause = min(2*w.next.pause, 16*w.patience)
	w.next.until = now.Add(w.next.pause)
	return w.alarm(ctx, hangs, now.Sub(hangs.Sent))
}

// content tells systemd that all is well, at most three times in the interval of its watchdog.
func (w *watching) content(now time.Time) {
	w.next.pause = w.patience
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || len(w.command) > 0 || now.Sub(w.fed) < time.Duration(usec)*time.Microsecond/3 {
		return
	}
	w.fed = now
	notify(systemd.SdNotifyWatchdog)
}

type jsonAlarm struct {
	Alarm   string  `json:"alarm"` // name of the Request
	ID      string  `json:"id"`
	Replier uint32  `json:"replier"`
	PID     uint32  `json:"pid,omitempty"` // 0: it has gone meanwhile
	Program string  `json:"program,omitempty"`
	Waited  float64 `json:"waited"` // seconds
}

func (w *watching) alarm(ctx context.Context, r *requests.Request, waited time.Duration) error {
	patience, done := soon(ctx)
	defer done()
	p, err := w.observer.PeerOf(patience, r.Replier)
	if err != nil && !errors.Is(err, kbus.ErrUnknownKsock) {
		return err
	}
	a := jsonAlarm{r.Name, plainID(r.ID), uint32(r.Replier), p.PID, p.Program, waited.Seconds()}
	if w.JSON {
		err = w.printJSON(a)
	} else {
		_, err = fmt.Fprintf(w.out, "%s %s has waited %v for an answer of Ksock %d (pid %d, %s)\n",
			r.Name, r.ID, waited.Round(time.Millisecond), r.Replier, p.PID, p.Program)
	}
	if err != nil {
		return err
	}
	if len(w.command) == 0 {
		notify("WATCHDOG=trigger")
		return nil
	}
	c := exec.CommandContext(ctx, w.command[0], w.command[1:]...)
	c.Env = append(os.Environ(), "KBUS_NAME="+a.Alarm, "KBUS_ID="+a.ID, fmt.Sprint("KBUS_REPLIER=", a.Replier),
		fmt.Sprint("KBUS_PID=", a.PID), fmt.Sprint("KBUS_WAITED=", a.Waited))
	c.Stdout, c.Stderr = w.out, w.err
	running := make(chan error, 1)
	w.running = running
	go func() { running <- inGroup(c, syscall.SIGTERM).Run() }()
	return nil
}
