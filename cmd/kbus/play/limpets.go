package play

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// limpets are the pair that joins the two buses of the stage: two processes, as on two machines, but over a Unix socket
// on the stage, so that they disturb nobody.
type limpets struct{ ends []*exec.Cmd }

// join starts both, and returns when the buses are joined. As with the daemon, a Ctrl-C is not for them, and the kernel
// ends them should we end.
func join(ctx context.Context, program, dir string) (l *limpets, err error) {
	path := find(program, "kbus-limpet")
	if path == "" {
		return nil, ErrNoLimpet
	}
	l = &limpets{}
	defer func() {
		if err != nil {
			l.part()
		}
	}()
	address := filepath.Join(dir, "limpets.sock")
	var logs []*bufio.Scanner
	for bus, role := range []string{"--listen", "--connect"} {
		c := exec.CommandContext(ctx, path, "pair", role, address, "--legacy", "--json", "--once",
			"--id", strconv.Itoa(bus+1), "--bus", strconv.Itoa(bus), "--dir", dir)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		c.WaitDelay = 10 * time.Second // it never takes that long
		log, err := c.StderrPipe()
		if err != nil {
			return l, err
		}
		if err := c.Start(); err != nil {
			return l, err
		}
		l.ends = append(l.ends, c)
		logs = append(logs, bufio.NewScanner(log))
		if role == "--listen" {
			if err := awaitWord(logs[bus], "listening"); err != nil {
				return l, err
			}
		}
	}
	for _, log := range logs {
		if err := awaitWord(log, "joined"); err != nil {
			return l, err
		}
	}
	return l, nil
}

// awaitWord reads a log until it says that.
func awaitWord(log *bufio.Scanner, word string) error {
	for log.Scan() {
		var line struct{ Msg string }
		if json.Unmarshal(log.Bytes(), &line) == nil && line.Msg == word {
			return nil
		}
	}
	return fmt.Errorf("kbus-limpet did not say %q: %s", word, log.Text())
}

// part ends them in order, and waits until they have.
func (l *limpets) part() {
	for _, c := range l.ends {
		_ = c.Process.Signal(syscall.SIGTERM)
	}
	for _, c := range l.ends {
		_ = c.Wait() // how they ended does not matter, but that they have
	}
}
