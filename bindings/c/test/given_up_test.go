package test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/relay"
)

// reopenSteps is how many frames kbus_bus_reopen sends for given_up.c.
const reopenSteps = 1 + 1 + 4 // Hello, the limit of the queue, bindings

// A reopen that is given up at any step has changed nothing, and another brings everything back; with a descriptor that is
// polled, too. A thread that closes the handle ends it.
func TestReopenGivenUp(t *testing.T) {
	archive, flags := sanitized(t, "address,undefined")
	program := compileWith(t, archive, "gcc", "given_up.c", flags...)
	for step := range reopenSteps {
		for _, how := range [][]string{{"limit"}, {"limit", "polled"}, {"closed"}} {
			t.Run(fmt.Sprint(how, " before frame ", step), func(t *testing.T) { giveUp(t, program, how, step) })
		}
	}
}

func giveUp(t *testing.T, program string, how []string, step int) {
	dir := shortDir(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	behind, first := daemon(t)
	r, err := relay.New(filepath.Join(dir, "bus0.sock"), filepath.Join(behind, "bus0.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	c := exec.Command(program, how...)
	c.Env = append(os.Environ(), "KBUS_DIR="+dir, "KBUS_RINGS=off")
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lines := talk(t, c)
	lines.wants(t, "bound")
	first.Process.Kill()
	first.Wait()
	daemonIn(t, behind)
	r.Hold(step)
	io.WriteString(input, "\n")
	if how[0] == "closed" {
		lines.wants(t, "reopening")
		<-r.Held
	} else {
		lines.wants(t, "given up")
		if step > 0 {
			r.Hold(-1) // of others
		}
		io.WriteString(input, "\n")
		lines.wants(t, "given up twice")
		r.GoOn()
	}
	io.WriteString(input, "\n")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
