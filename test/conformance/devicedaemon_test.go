package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/testing/trace"
)

// A process must not open a device that it serves itself, so the daemon of device front ends is another one: this test
// binary again, in a mount namespace of its own, which nobody else sees and which goes with it. It starts and stops a
// server for each case. The table reaches in through /proc, drivers enter.

// beDevices reads a configuration, starts a server and says so, ends it at the next line, and so on until nothing more is
// said.
func beDevices() error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c trace.Config
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		d := daemon{dir: os.Getenv("KBUS_DIR")}
		config := d.config(c)
		config.Device = server.Device{Kind: "fuse", Link: d.link(), Mode: 0o666}
		var err error
		if d.server, err = server.Start(config, nil); err != nil {
			return err
		}
		fmt.Println("ready")
		lines.Scan()
		d.stop()
		fmt.Println("ended")
	}
	return nil
}

// link is what devices are called, without their number.
func (d *daemon) link() string { return filepath.Join(d.dir, "kbus") }

// devices is that process.
type devices struct {
	process *exec.Cmd
	tell    io.WriteCloser
	says    *bufio.Scanner
}

func startDevices(dir string) (*devices, error) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), role+"=devices", "KBUS_DIR="+dir)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	in, err := c.StdinPipe() // which ends with us, and with it the daemon
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return &devices{c, in, bufio.NewScanner(out)}, nil
}

// noDevices tells why there cannot be any here; empty: there can.
func noDevices() string {
	if os.Geteuid() != 0 {
		return "devices need root"
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return "devices need FUSE, and this machine has no /dev/fuse"
	}
	return ""
}

func (d *devices) start(c trace.Config) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return d.ask(string(text), "ready")
}

func (d *devices) stop() error { return d.ask("end", "ended") }

func (d *devices) ask(line, answer string) error {
	if _, err := io.WriteString(d.tell, line+"\n"); err != nil {
		return err
	}
	if !d.says.Scan() || d.says.Text() != answer {
		return fmt.Errorf("the daemon of the devices says %q", d.says.Text())
	}
	return nil
}

// end ends the process, and with it its namespace.
func (d *devices) end() error {
	d.tell.Close()
	return d.process.Wait()
}

// root is the file system of the process as we see it.
func (d *devices) root() string {
	return filepath.Join("/proc", strconv.Itoa(d.process.Process.Pid), "root")
}

// entering is what goes before the command line of a program that is to see the devices.
func (d *devices) entering() []string {
	return []string{"nsenter", "--target", strconv.Itoa(d.process.Process.Pid), "--mount", "--"}
}
