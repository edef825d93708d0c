// Package stage runs a daemon for a while, in a directory of its own: for a play, or for a test.
package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Stage is a daemon of our own, with its sockets in a directory of our own, so it disturbs nobody and its ids begin
// at 1. kbusd says when it is ready in the way that systemd services do, by a datagram; nothing here tries again or
// sleeps.
//
// The daemon is in a process group of its own: a Ctrl-C is for us, and then we end the daemon in order. The kernel
// ends it should the thread that started it end, and so should we die.
type Stage struct {
	Dir string // where the sockets are
	PID int    // of kbusd

	end   context.CancelFunc
	ended chan struct{} // closed when kbusd is gone
	log   bytes.Buffer  // of kbusd; to be looked at when ended
}

// patience is how long a daemon may take to end. It never takes that long.
const patience = 10 * time.Second

// Build starts the kbusd binary at path with that many buses, and returns when it is ready, or when ctx ends. The
// caller must Strike the stage, and had better lock its thread until then (see Stage).
func Build(ctx context.Context, path string, buses int) (*Stage, error) {
	dir, err := os.MkdirTemp("", "kbus-stage-")
	if err != nil {
		return nil, err
	}
	s := &Stage{Dir: dir, ended: make(chan struct{})}
	if err := s.start(ctx, path, buses); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Stage) start(ctx context.Context, kbusd string, buses int) error {
	address := filepath.Join(s.Dir, "ready")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer ready.Close()
	lives, end := context.WithCancel(context.Background())
	d := exec.CommandContext(lives, kbusd, "--dir", s.Dir, "--buses", strconv.Itoa(buses))
	d.Env = append(os.Environ(), "NOTIFY_SOCKET="+address)
	d.Stderr = &s.log
	d.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	d.Cancel = func() error { return d.Process.Signal(syscall.SIGTERM) }
	d.WaitDelay = patience
	if err := d.Start(); err != nil {
		end()
		return err
	}
	s.PID, s.end = d.Process.Pid, end
	go func() {
		_ = d.Wait() // how it ended does not matter, but that it has
		close(s.ended)
		_ = ready.Close()
	}()
	defer context.AfterFunc(ctx, func() { _ = ready.Close() })()
	if awaitReady(ready) {
		return nil
	}
	end()
	<-s.ended
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("kbusd did not start: %s", lastLine(s.log.String()))
}

// awaitReady reports whether the daemon said that it is ready, before the socket was closed.
func awaitReady(from *net.UnixConn) bool {
	p := make([]byte, 4096)
	for {
		n, err := from.Read(p)
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(p[:n])) {
			if strings.TrimSpace(line) == "READY=1" {
				return true
			}
		}
	}
}

// Strike ends the daemon in order, and removes the directory.
func (s *Stage) Strike() error {
	s.end()
	<-s.ended
	return os.RemoveAll(s.Dir)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
