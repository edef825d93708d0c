package clients

import (
	"context"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// Taps of all libraries look at one bus of a real daemon while something happens there, and all must be shown the same:
// what was sent, in which order, by which process, whom it reached and who missed it, what was refused, and how much a tap
// that is too slow has lost.

const (
	prompt = "0 " // a tap that reads all the time
	slow   = "1 "
)

func TestTaps(t *testing.T) {
	programs := buildTaps(t)
	for _, c := range []struct {
		name, filter string
		wants        []string
	}{
		{"everything", "0 all 0 - -", []string{
			"opened 0 - - 0:0 0:0 0 0 0 1 0 0 0 0 0 0",
			"opened 0 - - 0:0 0:0 0 0 0 2 0 0 0 0 0 0",
			"opened 0 - - 0:0 0:0 0 0 0 3 0 0 0 0 0 0",
			"bound 0 $.Lamp - 0:0 0:0 0 0 0 1 1 0 0 0 0 0",
			"bound 98 $.Lamp - 0:0 0:0 0 0 0 2 1 0 0 0 0 0",
			"bound 0 $.Lamp.* - 0:0 0:0 0 0 0 2 0 0 0 0 0 0",
			"sent 0 $.Lamp.On 6f6e 0:1 0:0 3 0 0 3 0 0 1 0 0 2",
			"sent 0 $.Lamp.On 7477696365 0:2 0:0 3 0 0 3 0 0 0 1 0 5",
			"sent 16 $.Lamp.On 616c6c 0:0 0:0 3 0 512 3 0 0 0 0 0 3",
			"sent 11 $.Lamp.On ff0001 0:4 0:0 3 0 256 3 0 0 0 0 0 3",
			"sent 0 $.Lamp.On ff0001 0:4 0:0 3 0 256 3 0 0 1 0 0 3",
			"sent 99 $.Nobody 3f 0:0 0:0 3 0 1 3 0 0 0 0 0 1",
			"sent 0 $.Lamp 6f6e3f 0:6 0:0 3 0 1 3 0 1 1 0 0 3",
			"taken 0 $.Lamp - 0:6 0:0 3 0 3 1 0 0 0 0 0 0",
			"sent 0 $.Lamp 796573 0:7 0:6 1 3 0 1 0 0 1 0 0 3",
			"sent 0 $.Lamp 6f66663f 0:8 0:0 3 0 1 3 0 1 1 0 0 4",
			"closed 0 - - 0:0 0:0 0 0 0 1 0 0 0 0 0 0",
			"status 0 $.KBUS.Replier.GoneAway - 0:9 0:8 1 3 4 0 0 0 1 0 0 0",
			"unbound 0 $.Lamp - 0:0 0:0 0 0 0 1 1 0 0 0 0 0",
			"sent 0 $.End - 0:10 0:0 3 0 0 3 0 0 0 0 0 0",
		}},
		{"announcements", "0 2 0 sent announcement $.Lamp.* $.End", []string{
			"sent 0 $.Lamp.On 6f6e 0:1 0:0 3 0 0 3 0 0 1 0 0 2",
			"sent 0 $.Lamp.On 7477 0:2 0:0 3 0 0 3 0 0 0 1 0 5",
		}},
		{"failures", "1 0 0 - -", []string{
			"bound 98 $.Lamp - 0:0 0:0 0 0 0 2 1 0 0 0 0 0",
			"sent 0 $.Lamp.On - 0:2 0:0 3 0 0 3 0 0 0 1 0 5",
		}},
		{"one Ksock", "0 all 3 - -", []string{"opened 0 - - 0:0 0:0 0 0 0 3 0 0 0 0 0 0", "sent 0 $.Lamp.On 6f6e 0:1 0:0 3 0 0 3 0 0 1 0 0 2"}},
		{"Requests", "0 all 0 sent,status request $.Lamp $.End $.KBUS.*", []string{"sent 0 $.Lamp 6f6e3f 0:6 0:0 3 0 1 3 0 1 1 0 0 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := programs.startDaemon(t)
			taps := programs.startTaps(t, dir, prompt+c.filter)
			perform(t, dir)
			shown := endTaps(t, taps)
			lines := strings.Split(shown, "\n")
			for i, want := range c.wants {
				if i >= len(lines) || lines[i] != want {
					t.Errorf("line %d:\n got  %s\n want %s", i, strings.Join(lines[min(i, len(lines)):min(i+1, len(lines))], ""), want)
				}
			}
			if c.name == "everything" && len(lines) != len(c.wants) {
				t.Errorf("%d events:\n%s", len(lines), shown)
			}
		})
	}
}

// perform is what happens: three Ksocks, of which the second has a queue of one message.
func perform(t *testing.T, dir string) {
	ctx := t.Context()
	open := func() *kbus.Ksock {
		k, err := kbus.Open(ctx, 0, kbus.Dir(dir), kbus.Rings(false)) // in a window the bus would notice late what is taken
		must(t, err)
		return k
	}
	lamp, listener, hand := open(), open(), open()
	defer listener.Close()
	defer hand.Close()
	must(t, lamp.Bind(ctx, "$.Lamp", kbus.Replier))
	_ = listener.Bind(ctx, "$.Lamp", kbus.Replier) // refused
	must(t, listener.Bind(ctx, "$.Lamp.*", kbus.Listener))
	_, err := listener.Queue().SetLimit(ctx, 1)
	must(t, err)

	send := func(m *kbus.Message) { _, _ = hand.Send(ctx, m) }
	send(kbus.Announcement("$.Lamp.On", "on"))
	send(kbus.Announcement("$.Lamp.On", "twice"))
	all := kbus.Announcement("$.Lamp.On", "all")
	all.Flags |= kbus.AllOrFail
	send(all)
	wait := kbus.Announcement("$.Lamp.On", "\xff\x00\x01")
	wait.Flags |= kbus.AllOrWait
	send(wait)
	_, err = listener.Receive(ctx)
	must(t, err)
	must(t, hand.WaitSent(ctx))
	send(kbus.Request("$.Nobody", "?"))

	send(kbus.Request("$.Lamp", "on?"))
	asked, err := lamp.Receive(ctx)
	must(t, err)
	yes, err := asked.Reply([]byte("yes"))
	must(t, err)
	_, err = lamp.Send(ctx, yes)
	must(t, err)
	send(kbus.Request("$.Lamp", "off?"))
	must(t, lamp.Close())

	send(kbus.Announcement("$.End", "")) // one of the two passes each filter
	send(kbus.Request("$.End", ""))
}

// A tap that does not read while 3000 events come is told how many it has lost, and no event is lost without being counted.
func TestTapsThatAreSlow(t *testing.T) {
	programs := buildTaps(t)
	dir := programs.startDaemon(t)
	taps := programs.startTaps(t, dir, slow+"0 all 0 sent -")
	ctx := context.Background()
	k, err := kbus.Open(ctx, 0, kbus.Dir(dir))
	must(t, err)
	defer k.Close()
	for range 3000 {
		_, err := k.Send(ctx, kbus.Announcement("$.Flood", strings.Repeat("x", 1000)))
		must(t, err)
	}
	if got, want := endTaps(t, taps), "lost some of 3000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
