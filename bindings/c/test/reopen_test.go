package test

import (
	"io"
	"os"
	"os/exec"
	"testing"
)

// The daemon is killed and started anew; programs come back when they decide to.
func TestReopen(t *testing.T) {
	archive, flags := sanitized(t, "address,undefined")
	program := compileWith(t, archive, "gcc", "reopen.c", flags...)
	for _, rings := range []string{"on", "off"} {
		t.Run("rings "+rings, func(t *testing.T) {
			dir, first := daemon(t)
			c := exec.Command(program)
			c.Env = append(os.Environ(), "KBUS_DIR="+dir, "KBUS_RINGS="+rings)
			input, err := c.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			lines := talk(t, c)
			lines.wants(t, "bound")
			first.Process.Kill()
			first.Wait()
			io.WriteString(input, "\n")
			lines.wants(t, "lost")
			daemonIn(t, dir)
			io.WriteString(input, "\n")
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
