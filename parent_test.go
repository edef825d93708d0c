package kbus_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"

	"kbus.example/kbus"
)

// A Replier in Go that has started another program is killed, and that program lives on: who had asked is told at once, and
// the name is free. Its descriptors are closed in what it starts.
func TestDeadParent(t *testing.T) {
	for _, rings := range []string{"on", "off"} {
		t.Run("rings "+rings, func(t *testing.T) {
			d := startDaemon(t, tempDir(t))
			w := &world{t, d.open, d.observe, d.kill}
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), parentVariable+"="+d.dir, "KBUS_RINGS="+rings)
			parent.Stderr = os.Stderr
			lives, err := parent.StdinPipe() // ends the child, when we close it
			w.must(err)
			defer lives.Close()
			says, err := parent.StdoutPipe()
			w.must(err)
			w.must(startWithUs(parent))
			var child int
			_, err = fmt.Fscanln(says, &child)
			w.must(err)

			k := w.ksock()
			sent := w.send(k, kbus.Request("$.Parent", "?"))
			_, err = fmt.Fscanln(says)
			if err != nil && err.Error() != "unexpected newline" {
				t.Fatal(err)
			}
			w.must(parent.Process.Kill())
			m, err := k.Receive(t.Context())
			w.must(err)
			is(w, "what it answers", m.InReplyTo, sent.ID)
			w.must(k.Bind(t.Context(), "$.Parent", kbus.Replier))
			if _, err := os.Stat(fmt.Sprint("/proc/", child)); err != nil {
				t.Errorf("the child has not lived so long: %v", err)
			}
			lives.Close()
			parent.Wait()
		})
	}
}

const parentVariable = "KBUS_TEST_PARENT"

// beParent is that Replier. It does not end by itself.
func beParent() {
	k, err := kbus.Open(context.Background(), 0, kbus.Dir(os.Getenv(parentVariable)))
	if err == nil {
		err = k.Bind(context.Background(), "$.Parent", kbus.Replier)
	}
	child := exec.Command("cat")
	child.Stdin = os.Stdin
	if err == nil {
		err = child.Start()
	}
	if err == nil {
		fmt.Println(child.Process.Pid)
		_, err = k.Receive(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	killed := make(chan os.Signal, 1)
	signal.Notify(killed, os.Interrupt)
	fmt.Println()
	<-killed
}
