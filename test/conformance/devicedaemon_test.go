package conformance

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"kbus/internal/file/trace"
	"kbus/internal/server"
)

// A process must not open a device that it serves itself, so the daemon of the device front end is another one: this
// test binary again, told by its environment what it is. It lives in a mount namespace of its own, which nobody else
// sees and which goes with it; the test reaches in through /proc. It starts and stops a server for each trace.

const beDeviceDaemon = "KBUS_CONFORMANCE_DAEMON"

func TestMain(m *testing.M) {
	if os.Getenv(beDeviceDaemon) != "" {
		serveDevices(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveDevices reads a configuration, starts a server and says where it is, ends it at the next line, and so on until
// nothing more is said.
func serveDevices(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var config server.Config
		if err := json.Unmarshal(lines.Bytes(), &config); err != nil {
			panic(err)
		}
		dir, err := os.MkdirTemp("", "kbus")
		if err != nil {
			panic(err)
		}
		config.Dir = dir
		config.Device = server.Device{Kind: "fuse", Link: filepath.Join(dir, "kbus"), Mode: 0o666}
		s, err := server.Start(config, nil)
		if err != nil {
			panic(err)
		}
		io.WriteString(out, dir+"\n")
		lines.Scan()
		s.Stop(0)
		s.Wait()
		os.RemoveAll(dir)
		io.WriteString(out, "ended\n")
	}
}

// deviceDaemon is that process.
type deviceDaemon struct {
	tell io.Writer
	says *bufio.Scanner
	root string // its file system as we see it
}

var startDeviceDaemon = sync.OnceValues(func() (*deviceDaemon, error) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), beDeviceDaemon+"=1")
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
	root := filepath.Join("/proc", strconv.Itoa(c.Process.Pid), "root")
	return &deviceDaemon{tell: in, says: bufio.NewScanner(out), root: root}, nil
})

// needDevices skips the test where there cannot be any.
func needDevices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("devices need root")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("devices need FUSE: %v", err)
	}
}

// startServer has the daemon start the server of a trace, and gives its directory.
func (d *deviceDaemon) startServer(t *testing.T, c trace.Config) (dir string) {
	text, err := json.Marshal(serverConfig(c))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(d.root, d.ask(t, string(text)))
}

func (d *deviceDaemon) ask(t *testing.T, line string) string {
	if _, err := io.WriteString(d.tell, line+"\n"); err != nil {
		t.Fatal(err)
	}
	if !d.says.Scan() {
		t.Fatal("the daemon of the devices has ended")
	}
	return d.says.Text()
}
