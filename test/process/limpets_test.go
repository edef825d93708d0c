package process

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// A Limpet of another user stands still, and all that is said on its bus waits for it until its queue is full and its
// user may have no more. That holds nobody's Bind up and takes nobody's room (F42, F43); and since it misses what becomes
// of Repliers meanwhile, it asks anew when it goes on.

const (
	stillQueueBytes = 4 * mib // a user's share
	stillBytes      = 10_000  // of a message
	stillBinds      = 600     // and Unbinds: more than are set aside for a Ksock
)

// limpet is a kbus-limpet of user args[0], with the arguments that follow.
func limpet(p *part) {
	p.become(p.number(0))
	p.must(syscall.Exec(p.args[1], p.args[1:], os.Environ()))
}

// startStill starts a daemon that lets any user join its bus to others, and gives each little room.
func startStill(t *testing.T) *daemon {
	t.Helper()
	dir, config := tempDir(t), filepath.Join(tempDir(t), "kbusd.toml")
	must(t, os.Chmod(dir, 0o755))
	text := fmt.Sprintf("limpets = \"anybody\"\nshared-log = \"off\"\n[limits]\nqueue-bytes = %d\nuser-queue-bytes = %d\n",
		8*stillQueueBytes, stillQueueBytes)
	must(t, os.WriteFile(config, []byte(text), 0o644))
	return startDaemonIn(t, dir, "--config", config)
}

func TestStoppedLimpet(t *testing.T) {
	onlyRoot(t)
	path := filepath.Join(tempDir(t), "kbus-limpet")
	must(t, os.Chmod(filepath.Dir(path), 0o755))
	must(t, programs.Build(filepath.Dir(path), "kbus-limpet"))
	meet := func() string {
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer socket.Close()
		return socket.Addr().String()
	}
	one, other := meet(), meet()
	for kind, how := range map[string]struct{ there, here []string }{
		"pair": {
			[]string{"pair", "--id", "1", "--listen", one, "--legacy"},
			[]string{"pair", "--id", "2", "--connect", one, "--legacy"},
		},
		"federation": {
			[]string{"serve", "--id", "1", "--store", tempDir(t), "--listen", other},
			[]string{"join", "--id", "2", "--servers", "nats://" + other},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			there, here := startStill(t), startStill(t)
			run := func(d *daemon, user int, args []string) *actor {
				words := []any{user, path}
				for _, a := range slices.Concat(args, []string{"--name", "$.Shared.*"}) {
					words = append(words, a)
				}
				return d.cast("limpet", words...)
			}
			run(there, 0, how.there)
			l := run(here, 3, how.here)
			standsStill(t, there, here, l, kind == "pair")
		})
	}
}

func standsStill(t *testing.T, there, here *daemon, limpet *actor, free bool) {
	ctx := patient(t)
	news := there.open()
	must(t, news.Bind(ctx, kbus.NameReplierBindEvent, kbus.Listener))
	_, err := news.Settings().SetReportReplierBinds(ctx, true)
	must(t, err)
	hears := func(bind bool, name string) {
		t.Helper()
		for {
			m, err := news.Receive(ctx)
			if err != nil {
				t.Fatalf("%s, bound %t, is not heard of: %v", name, bind, err)
			}
			if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind == bind && e.Name == name {
				return
			}
		}
	}
	old := here.open()
	must(t, old.Bind(ctx, "$.Shared.Old", kbus.Replier))
	hears(true, "$.Shared.Old")

	limpet.stop()
	sender, listener := here.open(), here.open()
	must(t, listener.Bind(ctx, "$.Shared.News", kbus.Listener))
	data := make([]byte, stillBytes)
	for reached := 2; reached > 1; {
		sent, err := sender.Send(ctx, kbus.Announcement("$.Shared.News", data))
		must(t, err)
		_, err = listener.Receive(ctx)
		must(t, err)
		reached = int(sent.Reached)
	}
	for i := range stillBinds {
		name := fmt.Sprint("$.Own.N", i)
		must(t, sender.Bind(ctx, name, kbus.Replier))
		must(t, sender.Unbind(ctx, name, kbus.Replier))
	}
	must(t, old.Close())
	if free { // in a federation a name is bound when the Limpet has a claim to it
		must(t, sender.Bind(ctx, "$.Shared.New", kbus.Replier))
	}
	// What waits for the Limpet is its own user's business: others may have as much as ever waiting.
	hoard, kept := here.open(), 0
	_, err = hoard.Queue().SetLimit(ctx, 1<<20)
	must(t, err)
	must(t, hoard.Bind(ctx, "$.Own.News", kbus.Listener))
	for reached := 1; reached > 0; kept++ {
		sent, err := sender.Send(ctx, kbus.Announcement("$.Own.News", data))
		must(t, err)
		reached = int(sent.Reached)
	}
	if least := stillQueueBytes / stillBytes * 9 / 10; kept < least {
		t.Errorf("another user could keep %d messages, not %d", kept, least)
	}

	limpet.resume()
	hears(false, "$.Shared.Old")
	if free {
		hears(true, "$.Shared.New")
		return
	}
	must(t, there.open().Bind(ctx, "$.Shared.Old", kbus.Replier))
}
