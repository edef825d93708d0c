package test

import (
	"io"
	"os"
	"os/exec"
	"testing"

	"kbus.example/kbus"
)

// Taps, with a library that watches itself.
func TestTaps(t *testing.T) {
	archive, flags := sanitized(t, "address,undefined")
	dir, stop := serve(t, nil)
	defer stop()
	run(t, dir, "on", compileWith(t, archive, "gcc", "taps.c", flags...))
}

// Who may not look is refused.
func TestTapNotPermitted(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	program := compile(t, "gcc", "taps.c")
	dir, stop := serve(t, nil)
	defer stop()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "on", program, "refused")
}

// A tap of a daemon that dies shows all that it has been shown, and then ends.
func TestTapLosesItsBus(t *testing.T) {
	program := compile(t, "gcc", "taps.c")
	dir, daemon := daemon(t)
	c := exec.Command(program, "lost")
	c.Env = append(os.Environ(), "KBUS_DIR="+dir)
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lines := talk(t, c)
	lines.wants(t, "ready")
	o, err := kbus.Observe(t.Context(), 0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	events, err := o.Tap(t.Context(), kbus.TapFilter{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for range events { // what this tap is sent, the one before it was sent before
		break
	}
	daemon.Process.Kill()
	daemon.Wait()
	io.WriteString(input, "\n")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
