package process

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// Somebody of another user keeps all that it can get and reads nothing (F43). Others lose nothing by it, and the daemon's
// memory stays within what its limits say, and is given back afterwards.

const (
	hoardBytes  = 16 * mib // a user's share
	hoardKsocks = 20
	hoardName   = "$.News"

	// fixedBytes is what the daemon may take beside 1.25 times what it has charged: buffers and messages kept for reuse,
	// blocks of queues, what the collector has not found yet.
	fixedBytes = 12 * mib
)

// become has an actor act as another user from now on.
func (p *part) become(uid int) {
	p.must(syscall.Setgroups(nil))
	p.must(syscall.Setgid(uid))
	p.must(syscall.Setuid(uid))
}

// hoarder has many Ksocks, of user args[0], which hear everything several times, without limit, and reads nothing.
func hoarder(p *part) {
	p.become(p.number(0))
	for range hoardKsocks {
		k := p.open()
		_, err := k.Queue().SetLimit(context.Background(), math.MaxUint32)
		p.must(err)
		for range 10 {
			p.must(k.Bind(context.Background(), hoardName, kbus.Listener))
		}
		p.must(k.Bind(context.Background(), "$.*", kbus.Listener))
	}
	p.say(ready{})
}

// echo replies to what it is asked, as user args[0].
func echo(p *part) {
	p.become(p.number(0))
	k := p.open()
	p.must(k.Bind(context.Background(), "$.Echo", kbus.Replier))
	p.say(ready{})
	k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply(m.Data)
	})
}

// onlyRoot skips a test that plays several users; where everything is to be tested, that is a failure.
func onlyRoot(t *testing.T) {
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("this plays several users, and must be run as root")
	}
	t.Skip("only root can play several users")
}

func TestHoarderCostsOthersNothing(t *testing.T) {
	onlyRoot(t)
	for _, size := range []int{0, 1000, 60_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			config := filepath.Join(tempDir(t), "kbusd.toml")
			text := fmt.Sprintf("shared-log = \"off\"\n[limits]\nqueue-bytes = %d\nuser-queue-bytes = %d\n", 8*hoardBytes, hoardBytes)
			must(t, os.WriteFile(config, []byte(text), 0o644))
			dir := tempDir(t)
			must(t, os.Chmod(dir, 0o755))
			d := startDaemonIn(t, dir, "--config", config)
			ctx := patient(t)
			hear[ready](d.cast("echo", 2))
			listener, sender := d.open(), d.open()
			must(t, listener.Bind(ctx, hoardName, kbus.Listener))
			before := d.memory()
			h := d.cast("hoarder", 3)
			hear[ready](h)

			data := make([]byte, size)
			most, full := before, 0
			for i := 0; full < 500; i++ {
				sent, err := sender.Send(ctx, kbus.Announcement(hoardName, data))
				must(t, err)
				m, err := listener.Receive(ctx)
				must(t, err)
				if m.ID != sent.ID || len(m.Data) != size {
					t.Fatalf("sent %v, heard %v", sent.ID, m.ID)
				}
				if sent.Reached == 1 { // us alone
					full++
				}
				if i%100 == 0 {
					reply, err := sender.Call(ctx, kbus.Request("$.Echo", data))
					must(t, err)
					if len(reply.Data) != size {
						t.Fatalf("%d bytes came back, not %d", len(reply.Data), size)
					}
					most.Own = max(most.Own, d.memory().Own)
				}
			}
			most.Own = max(most.Own, d.memory().Own)
			if grown := most.Own - before.Own; grown > hoardBytes*5/4+fixedBytes {
				t.Errorf("the daemon has grown by %.1f MiB; it has charged %d", float64(grown)/mib, hoardBytes/mib)
			}
			publish(t, fmt.Sprintf("memory for a hoarder of %d MiB, messages of %d bytes", hoardBytes/mib, size), "%.1f MiB",
				float64(most.Own-before.Own)/mib)
			h.kill()
			for now := most; now.Own > before.Own+fixedBytes; now = d.memory() { // a burst does not stay
				if ctx.Err() != nil {
					t.Fatalf("after it has gone: %v; before it came: %v", now, before)
				}
			}
			if _, err := sender.Call(ctx, kbus.Request("$.Echo", data)); err != nil {
				t.Error(err)
			}
		})
	}
}
