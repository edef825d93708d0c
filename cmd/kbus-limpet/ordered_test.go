package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/message"
)

// orderedMember is a daemon with two buses, and the command of the Limpet that orders what is said on the second.
type orderedMember struct {
	dir     string
	command []string
}

func newOrderedMember(t *testing.T, id int, server string) *orderedMember {
	dir := t.TempDir()
	daemon(t, dir, "--buses", "2")
	return &orderedMember{dir, []string{"kbus-limpet", "join", "--ordered", "--bus", "0", "--inlet", "1", "--dir", dir,
		"--id", fmt.Sprint(id), "--servers", server}}
}

// natsServer is one in a Limpet, which nothing happens to. It gives the URL.
func natsServer(t *testing.T) string {
	dir := t.TempDir()
	daemon(t, dir)
	start(t, nil, "kbus-limpet", "serve", "--dir", dir, "--id", "100", "--store", t.TempDir(), "--listen", "127.0.0.1:0",
		"--config", portsLogged(t, dir)).await("joined")
	return portLogged(t, dir)
}

// TestOrderedKilled: kill -9 of an ordered Limpet again and again, while another bowl orders. A Listener that reads slowly
// hears all of it, nothing twice and in order.
func TestOrderedKilled(t *testing.T) {
	const messages, kills = 6000, 12
	server := natsServer(t)
	a, b := newOrderedMember(t, 1, server), newOrderedMember(t, 2, server)
	start(t, nil, a.command...).await("ordered from here")
	limpet := start(t, nil, b.command...)
	limpet.await("ordered from here", "resumed=false")
	listener := open(t, b.dir)
	must(t, listener.Bind(t.Context(), "$.A", kbus.Listener))

	sent := make(chan error, 1)
	go func() { sent <- orderAll(t, a.dir, messages) }()
	for n := range messages {
		if n > 0 && n%(messages/kills) == 0 {
			limpet.kill()
			limpet = start(t, nil, b.command...)
			if n/(messages/kills)%2 == 0 { // else the next is read while it starts
				limpet.await("ordered from here", "resumed=true")
			}
		}
		m, err := listener.Receive(t.Context())
		must(t, err)
		if string(m.Data) != fmt.Sprint(n) {
			t.Fatalf("instead of message %d: %v", n, m)
		}
	}
	must(t, <-sent)
	limpet.terminate()
	if m, err := listener.Next(t.Context()); m != nil || err != nil {
		t.Errorf("and then %v, %v", m, err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "bus0.place")); err != nil {
		t.Error(err)
	}
}

// orderAll sends messages to an inlet, as many at once as it has room for.
func orderAll(t *testing.T, dir string, messages int) error {
	k, err := kbus.Open(t.Context(), 1, kbus.Dir(dir))
	if err != nil {
		return err
	}
	defer k.Close()
	for n := range messages {
		m := kbus.Announcement("$.A", fmt.Sprint(n))
		m.Flags |= message.AllOrWait
		sent, err := k.Send(t.Context(), m)
		if sent.Pending {
			err = k.WaitSent(t.Context())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Two ordered bowls: `kbus list` shows each the other, on both of its buses, and so does `kbus-limpet status`.
func TestOrderedStatus(t *testing.T) {
	server := natsServer(t)
	joinedBuses := []*orderedMember{newOrderedMember(t, 1, server), newOrderedMember(t, 2, server)}
	for _, b := range joinedBuses {
		start(t, nil, b.command...).await("ordered from here")
	}
	listener := open(t, joinedBuses[1].dir)
	must(t, listener.Bind(t.Context(), "$.A", kbus.Listener))
	for _, b := range joinedBuses {
		must(t, orderAll(t, b.dir, 3))
	}
	for range 6 {
		_, err := listener.Receive(t.Context())
		must(t, err)
	}
	for _, command := range [][]string{{"kbus", "list", "--bus", "0"}, {"kbus-limpet", "status", "--bus", "1"}} {
		text, whole := askStatus(t, joinedBuses[1].dir, command...)
		if whole.ID != 2 || whole.Announced != 3 || whole.Received != 6 || whole.ToDeliver != 0 || len(whole.Peers) != 1 ||
			whole.Peers[0].ID != 1 || whole.Peers[0].Announced != 3 {
			t.Fatalf("%v: %+v", command, whole)
		}
		row := fmt.Sprintf("\n1 %d joined 0 0 3 0\n", whole.Peers[0].Epoch)
		if !strings.Contains(text, "bowl 2 of federation kbus (ordered), in touch with the quorum") ||
			!strings.Contains(text, row) {
			t.Errorf("%v:\n%s\nwant%s", command, text, row)
		}
	}
}

// What stands against an ordered bowl is said in words that tell what to do.
func TestOrderedRefusals(t *testing.T) {
	server := natsServer(t)
	a, b := newOrderedMember(t, 1, server), newOrderedMember(t, 1, server)
	first := start(t, nil, append(a.command, "--place", filepath.Join(a.dir, "no", "place"))...)
	first.await("the place where the outlet is cannot be kept", "--place")
	first.await("ordered from here") // it has the lease, before another may ask for it
	again := start(t, nil, a.command...)
	again.await("`kbus list` shows who is on it")
	again.status()
	second := start(t, nil, b.command...)
	line := second.await("another bowl has id 1 and is alive")
	if !strings.Contains(line, filepath.Join(a.dir, "bus1.sock")+" and bus 0") || second.status() != 1 {
		t.Errorf("%s", line)
	}
	for _, usage := range [][]string{{"--place", "x"}, {"--ordered"}} {
		p := start(t, nil, append([]string{"kbus-limpet", "join", "--id", "1"}, usage...)...)
		if got := p.status(); got != cli.StatusUsage {
			t.Errorf("%v: status %d", usage, got)
		}
	}
}
