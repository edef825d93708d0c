package recordings

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
)

// Several Senders talk, and two recorders write it down, one in each form. Each recording has all of it, or says how much is missing
// and where. Then each is replayed into a fresh bus: every Listener hears what is in the recording, in its order.
func TestRecordings(t *testing.T) {
	dir, begin := t.TempDir(), time.Now()
	files := []string{filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "a.mcap")}
	total := *messagesFlag
	var at positions
	heard := record(t, files, total, &at)
	if heard.messages != total {
		t.Errorf("%d messages are heard, of %d", heard.messages, total)
	}
	t.Logf("%d messages of %d Senders are recorded after %v", total, senders, since(begin))
	for _, file := range files {
		c := check(t, file, &at, total)
		if c.lost == 0 && c.sequence != heard {
			t.Errorf("%s has another sequence than the Listener", file)
		}
		equal := replayed(t, file, c.sequence)
		must(t, os.Remove(file))
		t.Logf("%s: %d messages in %d bytes, lost %d in %d gaps, replayed: heard alike by %d of %d Listeners, after %v", filepath.Ext(file)[1:],
			c.messages, c.bytes, c.lost, c.gaps, equal, listeners, since(begin))
	}
	t.Logf("recordings: messages %d failed %v", total, t.Failed())
}

// record gives what a Listener has heard while it was recorded.
func record(t *testing.T, files []string, total int, at *positions) (heard sequence) {
	s := withDaemon(t)
	k := open(t, s, kbus.ReadAhead(64))
	_, err := k.Queue().SetLimit(t.Context(), 100*senders*syncEvery)
	must(t, err)
	must(t, k.Bind(t.Context(), syncName, kbus.Replier))
	must(t, k.Bind(t.Context(), "$.Rec.%", kbus.Listener))
	var recorders []*exec.Cmd
	for i, file := range files {
		c := command(s, "record", "-o", file, names, "--json")
		if i == 1 {
			c.Args = append(c.Args, "--compress", "zstd")
		}
		must(t, c.Start())
		recorders = append(recorders, c)
		awaitFile(t.Context(), t, s, file)
	}
	var listening sync.WaitGroup
	listening.Go(func() { heard = listen(t, k, at) })
	send(t, s, total)
	for _, c := range recorders {
		must(t, c.Process.Signal(syscall.SIGTERM))
		must(t, c.Wait())
	}
	_, err = open(t, s).Send(t.Context(), kbus.Announcement(endName, ""))
	must(t, err)
	listening.Wait()
	return heard
}

// replayed counts the Listeners who hear that, on a fresh bus.
func replayed(t *testing.T, file string, want sequence) (equal int) {
	s := withDaemon(t)
	var listening sync.WaitGroup
	var heard [listeners]sequence
	for i := range heard {
		k := open(t, s, kbus.ReadAhead(64))
		_, err := k.Queue().SetLimit(t.Context(), 20_000)
		must(t, err)
		must(t, k.Bind(t.Context(), names, kbus.Listener))
		listening.Go(func() { heard[i] = listen(t, k, nil) })
	}
	c := command(s, "replay", file, "--speed", "max", "--json")
	if out, err := c.Output(); err != nil {
		t.Errorf("kbus replay: %v, %s", err, out)
	}
	k := open(t, s)
	end := kbus.Announcement(endName, "")
	end.Flags |= kbus.AllOrWait
	_, err := k.Send(t.Context(), end)
	must(t, err)
	must(t, k.WaitSent(t.Context()))
	listening.Wait()
	for i, h := range heard {
		if h != want {
			t.Errorf("%s: Listener %d heard %+v, the recording has %+v", file, i, h, want)
			continue
		}
		equal++
	}
	return equal
}
