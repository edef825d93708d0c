package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus"
)

// The healthy pair: a service that answers, and announces each answer, and a caller that checks both.

const (
	askName  = "$.Healthy.Ask"
	newsName = "$.Healthy.News"
)

// figures are what a caller saw in some calls.
type figures struct {
	Median, Worst time.Duration
	Errors        int
	First         string // error
}

type pair struct{ service, caller *child }

func startPair(d *daemon) *pair {
	p := &pair{service: startChild(d, "service", serviceUID)}
	p.service.line()
	p.caller = startChild(d, "caller", callerUID)
	p.caller.line()
	return p
}

// measure makes so many calls.
func (p *pair) measure(calls int) (f figures) {
	p.caller.say("%d", calls)
	check(json.Unmarshal([]byte(p.caller.line()), &f))
	return f
}

// usual is what calls take when nobody does anything on the bus: alone, or beside a program that is not on it, whichever is
// more.
func (p *pair) usual(d *daemon, calls int) figures {
	alone := p.measure(calls)
	other := startChild(d, "attacker "+outside, attackerUID)
	other.line()
	beside := p.measure(calls)
	other.stop()
	return figures{Median: max(alone.Median, beside.Median), Worst: max(alone.Worst, beside.Worst),
		Errors: alone.Errors + beside.Errors, First: alone.First + beside.First}
}

func (p *pair) stop() {
	p.caller.stop()
	p.service.stop()
}

// perform plays a role, in a process of its own.
func perform(role string) {
	switch name, found := strings.CutPrefix(role, "attacker "); {
	case found:
		beAttacker(name)
	case role == "service":
		beService()
	default:
		beCaller()
	}
}

func beService() {
	k, err := kbus.Open(context.Background(), 0)
	check(err)
	check(k.Bind(context.Background(), askName, kbus.Replier))
	fmt.Println("ready")
	ctx := context.Background()
	for {
		m, err := k.Receive(ctx)
		check(err)
		_, err = k.Send(ctx, kbus.Announcement(newsName, m.Data))
		check(err)
		answer, err := m.Reply(m.Data)
		check(err)
		_, err = k.Send(ctx, answer)
		check(err)
	}
}

func beCaller() {
	k, err := kbus.Open(context.Background(), 0)
	check(err)
	check(k.Bind(context.Background(), newsName, kbus.Listener))
	fmt.Println("ready")
	number := 0
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		calls, err := strconv.Atoi(orders.Text())
		check(err)
		var f figures
		took := make([]time.Duration, calls)
		for i := range took {
			number++
			began := time.Now()
			err := once(k, strconv.Itoa(number))
			took[i] = time.Since(began)
			if err != nil {
				if f.Errors++; f.Errors == 1 {
					f.First = err.Error()
				}
			}
		}
		slices.Sort(took)
		f.Median, f.Worst = took[calls/2], took[calls-1]
		line, err := json.Marshal(f)
		check(err)
		fmt.Println(string(line))
	}
}

// once makes a call and hears the news of it. Nothing of the pair is ever in the way of the other, so neither may fail. The
// limit is for a pair that would wait for ever.
func once(k *kbus.Ksock, text string) error {
	ctx, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	reply, err := k.Call(ctx, kbus.Request(askName, text))
	if err != nil {
		return fmt.Errorf("call %s: %w", text, err)
	}
	if string(reply.Data) != text {
		return fmt.Errorf("call %s: answered %q", text, reply.Data)
	}
	news, err := k.Receive(ctx)
	if err != nil {
		return fmt.Errorf("news %s: %w", text, err)
	}
	if string(news.Data) != text {
		return fmt.Errorf("news %s: heard %q", text, news.Data)
	}
	return nil
}
