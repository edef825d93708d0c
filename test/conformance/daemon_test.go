package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/testing/trace"
)

// daemon is a server of its own for each case, reached through its sockets only: in this process, which is quick, or
// in one of its own, which can be killed.
type daemon struct {
	dir     string
	process *exec.Cmd // nil: in this process
	input   io.Closer
	server  *server.Server
	apart   *devices // in a process that makes devices
	mixed   bool     // it has clients of all kinds, and not of one front end
}

// startDaemon starts one at a driver slot. It ends with the test.
func startDaemon(t *testing.T, s *driverSlot, c trace.Config, mortal bool) *daemon {
	d := &daemon{dir: s.dir, apart: s.devices}
	start := d.start
	switch {
	case d.apart != nil:
		start = d.apart.start
	case mortal:
		start = d.startProcess
	}
	if err := start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) start(c trace.Config) (err error) {
	d.server, err = server.Start(d.config(c), nil)
	return err
}

// config is the configuration of a case.
func (d *daemon) config(c trace.Config) server.Config {
	config := server.Default()
	config.Dir = d.dir
	config.Buses = c.Devices
	config.Limits.Buses = c.MostDevices
	config.Limits.MessageBytes = int64(c.MaxMessageBytes)
	config.Limits.MessageBytesCeiling = int64(c.AbsMaxMessageBytes)
	config.Limits.QueueMessages = int64(c.MaxMessages)
	config.Limits.SetAside = c.MaxSetAside
	return config
}

// startProcess starts this program again, as the daemon; it ends when its input does.
func (d *daemon) startProcess(c trace.Config) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	line := append(strings.Fields(os.Getenv("KBUS_EMULATOR")), os.Args[0]) // for another machine
	d.process = exec.Command(line[0], line[1:]...)
	d.process.Env = append(os.Environ(), role+"=daemon", "KBUS_DIR="+d.dir, "CONFIG="+string(text))
	d.process.Stderr = os.Stderr
	if d.input, err = d.process.StdinPipe(); err != nil {
		return err
	}
	out, err := d.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := d.process.Start(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return fmt.Errorf("the daemon did not start: %w", err)
	}
	return nil
}

// beDaemon is what the other process does.
func beDaemon() error {
	var c trace.Config
	if err := json.Unmarshal([]byte(os.Getenv("CONFIG")), &c); err != nil {
		return err
	}
	d := daemon{dir: os.Getenv("KBUS_DIR")}
	if err := d.start(c); err != nil {
		return err
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	d.stop()
	return nil
}

// kill is kill -9. When it returns, all of the daemon's connections have ended.
func (d *daemon) kill() {
	d.process.Process.Kill()
	d.process.Wait()
	d.input.Close()
}

func (d *daemon) stop() {
	switch {
	case d.apart != nil:
		if err := d.apart.stop(); err != nil {
			panic(err) // nothing else can be run with it
		}
	case d.server != nil:
		d.server.Stop(0)
		d.server.Wait()
	case d.process.ProcessState == nil:
		d.input.Close()
		d.process.Wait()
	}
}

func (d *daemon) path(bus int) string { return kbus.SocketPath(d.dir, kbus.BusNumber(uint32(bus))) }

// devices counts the buses that there are now.
func (d *daemon) devices() (n int) {
	for {
		if _, err := os.Stat(d.path(n)); err != nil {
			return n
		}
		n++
	}
}

// shortDir is a directory for sockets, whose paths have 107 bytes at most.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
