package compatibility

import (
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// TestOldClients plays what clients of 0.1.0 said to the present daemon, which says what theirs did.
func TestOldClients(t *testing.T) {
	socket := filepath.Join(serve(t, present(t)), "bus0.sock")
	clients := map[int]*rawclient.Client{}
	frames := read(t, recorded)
	if len(frames) < 40 {
		t.Fatalf("the recording has only %d frames", len(frames))
	}
	last := map[int]int{}
	for i, f := range frames {
		last[f.client] = i
	}
	for i, f := range frames {
		if clients[f.client] == nil {
			clients[f.client] = rawclient.Dial(t, socket)
		}
		c := clients[f.client]
		if f.asked {
			payload, err := hex.DecodeString(f.payload)
			if err != nil {
				t.Fatal(err)
			}
			c.Raw(wire.AppendFrame(nil, f.header, payload))
		} else {
			got, err := c.TryNext()
			if err != nil {
				t.Fatalf("instead of %v: %v", f, err)
			}
			if wrong := f.fits(got.Header, got.Payload); wrong != "" {
				t.Errorf("instead of %v\n%s", f, wrong)
			}
		}
		if last[f.client] == i {
			c.Close()
		}
	}
}

// TestOldPrograms has the programs of 0.1.0 themselves at the present daemon, with what rings they may get.
func TestOldPrograms(t *testing.T) {
	bin := old(t)
	dir := serve(t, present(t))
	converse(t, bin, bin, dir)
}

// TestPresentPrograms has the present programs at a daemon of 0.1.0, and both versions talk to each other there.
func TestPresentPrograms(t *testing.T) {
	bin := old(t)
	dir := serve(t, bin)
	converse(t, present(t), present(t), dir)
	converse(t, present(t), bin, dir)
	converse(t, bin, present(t), dir)
}

// converse asks, announces and lists with programs of two versions.
func converse(t *testing.T, one, other, dir string) {
	t.Helper()
	start := func(bin string, words ...string) func() string {
		c := command(bin, dir, words...)
		var out strings.Builder
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return func() string { _ = c.Wait(); return out.String() }
	}
	watcher, err := kbus.Observe(t.Context(), 0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	bound := func(name string) {
		for {
			replier, listeners, err := watcher.Who(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if replier.Ksock != 0 || len(listeners) > 0 {
				return
			}
		}
	}
	answer := start(one, "answer", "$.Time", "--with", "noon", "--count", "1")
	bound("$.Time")
	if got := says(t, command(other, dir, "ask", "$.Time")); got != "noon\n" {
		t.Errorf("the answer is %q", got)
	}
	answer()
	heard := start(one, "listen", "$.Lamp", "--count", "1", "--format", "data")
	bound("$.Lamp")
	if got := says(t, command(other, dir, "list")); !strings.Contains(got, "kbus") {
		t.Errorf("list prints %q", got)
	}
	says(t, command(other, dir, "send", "$.Lamp", "on"))
	if got := heard(); got != "on\n" {
		t.Errorf("heard %q", got)
	}
	dies := start(one, "answer", "$.Gone", "--exec", "kill -9 $PPID")
	bound("$.Gone")
	var exit *exec.ExitError
	if err := command(other, dir, "ask", "$.Gone").Run(); !errors.As(err, &exit) || exit.ExitCode() != 104 {
		t.Errorf("a Status comes as %v", err)
	}
	dies()
}

// TestPresentPython is the Python package at a daemon of 0.1.0.
func TestPresentPython(t *testing.T) {
	dir := serve(t, old(t))
	c := exec.Command("python3", "-Bc", `
import kbus
with kbus.Ksock(0) as replier, kbus.Ksock(0) as asker:
    replier.bind('$.Old', True)
    asker.send_msg(kbus.Request('$.Old', b'?'))
    replier.send_msg(kbus.reply_to(replier.wait_for_msg(), b'yes'))
    print(asker.wait_for_msg().data.decode())
`)
	c.Env = append(os.Environ(), "KBUS_DIR="+dir, "PYTHONPATH="+top+"/bindings/python")
	if got := says(t, c); got != "yes\n" {
		t.Errorf("the answer is %q", got)
	}
}
