package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/ordered"
	"kbus.example/kbus/limpet/federation/store"
)

// Three members announce at a steady pace, 1000 messages a second together, each as a Request on its inlet, so that it is
// known which of them the stream has acknowledged. A Listener on each outlet writes down what it hears. Again and again
// the server that leads the stream is killed, and then a Limpet, which is started anew. In the end all three have heard
// the same: everything that was acknowledged, nothing twice, each sender's in its order.

const (
	orderedName  = "$.Ordered"
	orderedEnd   = "$.Finished"
	orderedSends = 1000 // a second, by all
)

// orderedRun is a run of it.
type orderedRun struct {
	play     *play
	testbed  *testbed
	ctx      context.Context
	mu       sync.Mutex
	acked    map[string]bool
	sent     int
	none     int // of them that got a Status: the Limpet died that had taken them
	stop     chan struct{}
	received [3][]string
	gap      [3]time.Duration
}

func orderedCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.startOrdered(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(p.ctx)
	defer end()
	c := &orderedRun{play: p, testbed: h, ctx: ctx, acked: map[string]bool{}, stop: make(chan struct{})}
	results := make(chan error, 6)
	listeners := make(chan struct{}, 3)
	for i, b := range h.members {
		go func() { results <- c.listen(i, b, listeners) }()
	}
	for range h.members {
		<-listeners
	}
	for _, b := range h.members {
		go func() { results <- c.send(b) }()
	}
	err = c.kills(pick(p, 5, 1))
	close(c.stop)
	if err != nil {
		return err
	}
	for range 6 {
		select {
		case err = <-results:
		case <-time.After(patience):
			err = errors.New("a sender or a Listener does not come to its end")
		}
		if err != nil {
			return err
		}
	}
	return c.reckon()
}

// startOrdered starts servers, daemons with two buses each, and Limpets.
func (h *testbed) startOrdered() error {
	results := make(chan error)
	for _, b := range h.members {
		go func() {
			results <- errors.Join(b.startDaemon("--buses", "2"), b.startServer())
		}()
	}
	var all error
	for range h.members {
		all = errors.Join(all, <-results)
	}
	for _, b := range h.members {
		if all != nil {
			break
		}
		all = b.startOrdering()
	}
	return all
}

// startOrdering starts the Limpet.
func (b *member) startOrdering() (err error) {
	b.limpet, err = b.start("kbus-limpet", "join", "--ordered", "--bus", "0", "--inlet", "1", "--id", fmt.Sprint(b.id),
		"--federation", "test", "--replicas", "3", "--servers", b.testbed.servers(), "--insecure")
	return err
}

func (h *testbed) servers() string {
	var all []string
	for _, b := range h.members {
		all = append(all, "nats://"+b.address()+":4222")
	}
	return strings.Join(all, ",")
}

// kills kills the leader so many times, with the time that an election may take in between, and each time a Limpet
// before.
func (c *orderedRun) kills(count int) error {
	random := c.play.random(3)
	for range count {
		c.play.wait(3 * time.Second)
		b := c.testbed.members[random.IntN(len(c.testbed.members))]
		fmt.Printf("    the Limpet of bowl %d is killed\n", b.id)
		b.limpet.kill()
		c.play.wait(time.Duration(random.Int64N(int64(2 * time.Second))))
		if err := b.startOrdering(); err != nil {
			return err
		}
		c.play.wait(3 * time.Second)
		leader, err := c.leader()
		if err != nil {
			return err
		}
		for _, b := range c.testbed.members {
			if b.serverName() != leader {
				continue
			}
			fmt.Printf("    %s leads the stream and is killed\n", leader)
			b.server.kill()
			c.play.wait(12 * time.Second)
			if err := b.startServer(); err != nil {
				return err
			}
		}
	}
	c.play.wait(3 * time.Second)
	return nil
}

// leader asks any server who leads the stream.
func (c *orderedRun) leader() (string, error) {
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); c.play.wait(retry) {
		for i := range c.testbed.members {
			in, err := c.testbed.dial(i + 1)
			if err != nil {
				return "", err
			}
			nc, err := nats.Connect("nats://"+c.testbed.members[i].address()+":4222", nats.SetCustomDialer(in))
			if err != nil {
				last = err
				continue
			}
			log, err := ordered.Open(c.ctx, store.NATS{Conn: nc}, "test", 3)
			var name string
			if err == nil {
				name, err = log.Leader(c.ctx)
			}
			nc.Close()
			if err == nil && name != "" {
				return name, nil
			}
			last = err
		}
	}
	return "", fmt.Errorf("the stream has no leader: %w", last)
}

func (c *orderedRun) send(b *member) error {
	k, err := kbus.Open(c.ctx, 1, kbus.Dir(b.dir))
	if err != nil {
		return err
	}
	defer k.Close()
	if _, err := k.Queue().SetLimit(c.ctx, 1<<16); err != nil {
		return err
	}
	var mu sync.Mutex // an answer may come before Send has told the id
	open := map[kbus.ID]string{}
	done := make(chan error, 1)
	sending := true
	go func() {
		for {
			m, err := k.Receive(c.ctx)
			if err != nil {
				done <- err
				return
			}
			mu.Lock()
			data, last := open[m.InReplyTo], false
			delete(open, m.InReplyTo)
			last = !sending && len(open) == 0
			mu.Unlock()
			if err := c.answered(m, data); err != nil {
				done <- err
				return
			}
			if last {
				done <- nil
				return
			}
		}
	}()
	beat := time.NewTicker(3 * time.Second / orderedSends)
	defer beat.Stop()
	name := orderedName
	for n := 0; ; {
		select {
		case <-c.stop:
			name = orderedEnd
		case <-beat.C:
		}
		data := fmt.Sprintf("%d/%d", b.id, n)
		mu.Lock()
		sent, err := k.Send(c.ctx, kbus.Request(name, data))
		if err == nil {
			open[sent.ID] = data
			n++
			sending = name != orderedEnd
		}
		mu.Unlock()
		switch {
		case errors.Is(err, kbus.ErrReplierFull), errors.Is(err, kbus.ErrNoReplier): // nobody takes it now
		case err != nil:
			return err
		case name == orderedEnd:
			c.mu.Lock()
			c.sent += n
			c.mu.Unlock()
			return <-done
		}
	}
}

// answered takes note of an answer.
func (c *orderedRun) answered(m *kbus.Message, data string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch err := kbus.StatusOf(m); {
	case err == nil && m.IsReply():
		c.acked[data] = true
	case errors.Is(err, kbus.ErrGoneAway), errors.Is(err, kbus.ErrIgnored):
		c.none++
	default:
		return fmt.Errorf("instead of an acknowledgement: %v", m)
	}
	return nil
}

// listen writes down what is heard until each member's last message.
func (c *orderedRun) listen(i int, b *member, ready chan<- struct{}) error {
	k, err := b.open(kbus.ReadAhead(64))
	if err != nil {
		return err
	}
	defer k.Close()
	if err := errors.Join(k.Bind(c.ctx, orderedName, kbus.Listener), k.Bind(c.ctx, orderedEnd, kbus.Listener)); err != nil {
		return err
	}
	ready <- struct{}{}
	var last time.Time
	for ends := 0; ends < len(c.testbed.members); {
		m, err := k.Receive(c.ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		if !last.IsZero() {
			c.gap[i] = max(c.gap[i], now.Sub(last))
		}
		last = now
		if m.Name == orderedEnd {
			ends++
		}
		c.received[i] = append(c.received[i], string(bytes.Clone(m.Data)))
	}
	return nil
}

func (c *orderedRun) reckon() error {
	t := &c.play.tally
	lost, doubles, divergences := 0, 0, 0
	for i, received := range c.received {
		seen, next := map[string]bool{}, map[string]int{}
		for at, data := range received {
			if seen[data] {
				doubles++
			}
			seen[data] = true
			member, text, _ := strings.Cut(data, "/")
			number, err := strconv.Atoi(text)
			if err != nil || number < next[member] { // what is missing was not acknowledged, or is lost
				divergences++
			}
			next[member] = number + 1
			if at >= len(c.received[0]) || c.received[0][at] != data {
				divergences++
			}
		}
		for data := range c.acked {
			if !seen[data] {
				lost++
			}
		}
		fmt.Printf("    Listener %d heard %d; the longest silence was %.1f s\n", i+1, len(received), c.gap[i].Seconds())
	}
	fmt.Printf("    %d sent, %d acknowledged, %d got a Status, %d lost, %d doubles, %d divergences\n",
		c.sent, len(c.acked), c.none, lost, doubles, divergences)
	t.lost, t.doubles, t.divergences = t.lost+lost, t.doubles+doubles, t.divergences+divergences
	switch {
	case lost+doubles+divergences > 0:
		return errors.New("it is not one order")
	case max(c.gap[0], c.gap[1], c.gap[2]) > 12*time.Second:
		return errors.New("there was silence for more than 12 s")
	case len(c.acked)+c.none != c.sent:
		return errors.New("a Request has no answer, or two")
	case len(c.acked) < 1000:
		return errors.New("the run has shown nothing")
	}
	return nil
}
