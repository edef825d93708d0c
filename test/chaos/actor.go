package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"kbus.example/kbus"
)

// An actor opens a Ksock, binds as Replier to a name of its own and listens to the news of all. Then it says news and asks
// others, up to eight Requests open at a time, and answers what it is asked, but for the last two Requests, which it holds
// back, for somebody to die with them. It tells each thing in a line on standard
// output, at once:
//
//	open KSOCK      it is there
//	ask ID          a Request of its was accepted
//	end ID NAME     the Reply or Status to it
//	say ID          an announcement of its was accepted
//	hear ID         it has heard one
//	missed 0:0 N    it has missed so many before what it tells next
//	took ID         it has been given a Request to answer
//	done            it has been told to come to an end, and has all its answers; it goes on answering
//	gone ERRNO      the bus is gone, and it leaves
//
// A line on its standard input tells it to come to an end; the end of its input, to leave. There is one such program for each
// language and door (actors/); this is the one in Go.

const actorRole = "actor"

const (
	openRequests = 8
	heldRequests = 2
	newsName     = "$.Chaos.News"
)

func beActor(args []string) {
	own, _ := strconv.Atoi(args[1])
	count, _ := strconv.Atoi(args[2])
	seed, _ := strconv.ParseUint(args[3], 10, 64)
	err := act(args[0] == "rings", own, count, rand.New(rand.NewPCG(seed, uint64(own))))
	if errors.Is(err, kbus.ErrBusGone) {
		say("gone %v", err)
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func say(format string, args ...any) {
	if _, err := fmt.Fprintf(os.Stdout, format+"\n", args...); err != nil {
		os.Exit(0)
	}
}

func number(id kbus.ID) string { return fmt.Sprintf("%d:%d", id.Network, id.Serial) }

func replierName(n int) string { return "$.Chaos.R" + strconv.Itoa(n) }

func act(rings bool, own, count int, chance *rand.Rand) error {
	k, err := kbus.Open(context.Background(), 0, kbus.Rings(rings))
	if err != nil {
		return err
	}
	for {
		err := k.Bind(context.Background(), replierName(own), kbus.Replier)
		if err == nil {
			break
		}
		if !errors.Is(err, kbus.ErrReplierBound) && !errors.Is(err, kbus.ErrEventUndelivered) { // who was killed is still going
			return err
		}
	}
	if err := k.Bind(context.Background(), newsName, kbus.Listener); err != nil {
		return err
	}
	say("open %d", k.ID())
	var finishing atomic.Bool
	go func() {
		b := make([]byte, 100)
		if n, _ := os.Stdin.Read(b); n == 0 {
			os.Exit(0)
		}
		finishing.Store(true)
		if n, _ := os.Stdin.Read(b); n == 0 {
			os.Exit(0)
		}
	}()
	open, told := map[kbus.ID]bool{}, false
	var held []*kbus.Message
	for ctx := context.Background(); ; {
		quiet := finishing.Load() || len(open) >= openRequests
		if !quiet {
			m := kbus.Announcement(newsName, "go")
			if chance.IntN(2) == 0 {
				m = kbus.Request(replierName(chance.IntN(count)), "go")
			}
			switch sent, err := k.Send(ctx, m); {
			case errors.Is(err, kbus.ErrBusGone): // the Statuses are still to be received
			case err != nil:
			case m.IsRequest():
				open[sent.ID] = true
				say("ask %s", number(sent.ID))
			default:
				say("say %s", number(sent.ID))
			}
		}
		if finishing.Load() && len(open) == 0 && !told {
			told = true
			say("done")
		}
		for {
			m, err := receive(ctx, k, quiet)
			if err != nil {
				return err
			}
			if m == nil {
				break
			}
			quiet = false
			if m.Missed > 0 {
				say("missed 0:0 %d", m.Missed)
			}
			switch {
			case m.IsReply():
				delete(open, m.InReplyTo)
				say("end %s %s", number(m.InReplyTo), m.Name)
			case m.WantsUsToReply():
				say("took %s", number(m.ID))
				held = append(held, m)
			case !m.IsRequest():
				say("hear %s", number(m.ID))
			}
		}
		for len(held) > heldRequests || finishing.Load() && len(held) > 0 {
			answer, err := held[0].Reply([]byte("done"))
			if err != nil {
				return err
			}
			k.Send(ctx, answer)
			held = held[1:]
		}
	}
}

// receive gives the next message, or nil: at once, or after a while if there is nothing else to do.
func receive(ctx context.Context, k *kbus.Ksock, wait bool) (*kbus.Message, error) {
	if !wait {
		return k.Next(ctx)
	}
	ctx, done := context.WithTimeout(ctx, 200*time.Millisecond)
	defer done()
	m, err := k.Receive(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return m, err
}
