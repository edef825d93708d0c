package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// roles are the bindings of the bus for one name, newest first, as "R 2, S 3".
func roles(t *testing.T, o *kbus.Observer, name string) string {
	t.Helper()
	list, err := o.Bindings(t.Context())
	must(t, err)
	var all []string
	for _, b := range list {
		if b.Name == name {
			all = append(all, b.As.String()[:1])
		}
	}
	return strings.Join(all, "")
}

// TestStandbyTakesOver: one Replier after the other is killed, with a Request in its hands and others in its queue. Each of
// these has a Status, and no Request at any time finds the name without a Replier.
func TestStandbyTakesOver(t *testing.T) {
	withDaemon(t, 1)
	const services = 5
	var all []*command
	for i := range services {
		c := start(t, "kbus", "answer", "--standby", "$.Service", "--exec",
			fmt.Sprintf(`read -r what; if [ "$what" = hang ]; then exec sleep 60 2>/dev/null; fi; echo %d`, i))
		all = append(all, c)
		await(t, func(o *kbus.Observer) bool { return roles(t, o, "$.Service") == strings.Repeat("S", i)+"R" })
	}
	if got := kbusOK(t, "bindings"); strings.Count(got, "  S  $.Service") != services-1 {
		t.Error(got)
	}
	asker := openKsock(t)
	for i, c := range all[:services-1] {
		if got := askedKeep(t, asker, "$.Service"); got != fmt.Sprintln(i) {
			t.Fatalf("answered by %q, not by %d", got, i)
		}
		const open = 4
		var ids []kbus.ID
		for range open {
			sent, err := asker.Send(t.Context(), kbus.Request("$.Service", "hang\n"))
			must(t, err)
			ids = append(ids, sent.ID)
		}
		beside := openKsock(t) // asks all the while
		ended := make(chan error, 1)
		go func() {
			for {
				_, err := beside.Call(t.Context(), kbus.Request("$.Service", ""))
				var status *kbus.StatusError
				if !errors.As(err, &status) {
					ended <- err
					return
				}
			}
		}()
		must(t, c.Process.Kill())
		c.status(t)
		for range open {
			m, err := asker.Receive(t.Context())
			must(t, err)
			if m.Kind() != kbus.StatusKind || m.InReplyTo != ids[0] && m.InReplyTo != ids[1] && m.InReplyTo != ids[2] && m.InReplyTo != ids[3] {
				t.Errorf("%v", m)
			}
		}
		if err := <-ended; err != nil {
			t.Fatalf("a Request had no Replier: %v", err)
		}
	}
	must(t, all[services-1].Process.Signal(syscall.SIGTERM))
	all[services-1].status(t)
	kbusFails(t, int(syscall.EADDRNOTAVAIL), "ask", "$.Service")
}

// TestKeepStandsBy: two remember, one answers; when that is killed, the other knows all that was announced.
func TestKeepStandsBy(t *testing.T) {
	withDaemon(t, 1)
	first := keeps(t, "$.State.*", "--standby")
	start(t, "kbus", "keep", "$.State.*", "--standby")
	await(t, func(o *kbus.Observer) bool { return roles(t, o, "$.State.*") == "SLRL" })
	k := openKsock(t)
	announce(t, k, "$.State.A", "on")
	if got := askedKeep(t, k, "$.State.A"); got != "on" {
		t.Error(got)
	}
	must(t, first.Process.Kill())
	first.status(t)
	await(t, func(o *kbus.Observer) bool { return roles(t, o, "$.State.*") == "RL" })
	if got := askedKeep(t, k, "$.State.A"); got != "on" {
		t.Error(got)
	}
}
