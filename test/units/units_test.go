package units

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// TestUnits has programs of a user with no rights meet on the buses of the installed daemon, which is started by the
// first of them, started again, and stopped; and Limpets join its buses as services.
func TestUnits(t *testing.T) {
	link, nats := free(t), free(t)
	m := boot(t, func(dir string) {
		etc := filepath.Join(dir, "etc/kbus")
		write(t, etc, "kbusd.toml", "buses = 5\n")
		write(t, etc, "limpets/one.conf", "LIMPET=pair --listen "+link+" --id 1 --bus 3\n")
		write(t, etc, "limpets/two.conf", "LIMPET=pair --connect "+link+" --id 2 --bus 4\n")
		write(t, etc, "bowls/7.conf", "LIMPET=serve --ordered --bus 1 --inlet 2 --store /var/lib/kbus-bowl/7 --listen "+nats+"\n")
	})
	m.Run(root, "systemd-analyze", "verify", "kbusd.socket", "kbusd.service", "kbus-limpet@one.service", "kbus-bowl@7.service")

	// The socket alone is there. Who comes first starts the daemon.
	m.Run(root, "systemctl", "start", "kbusd.socket")
	m.Run(nobody, "kbus", "list")
	own := m.Run(nobody, "sh", "-ec", `XDG_RUNTIME_DIR=$(mktemp -d); export XDG_RUNTIME_DIR; mkdir $XDG_RUNTIME_DIR/kbus; kbus ask $.Units 2>&1 || true`)
	if !strings.Contains(own, "or use that of the machine with: --dir /run/kbus\n") {
		t.Errorf("who has a directory of their own is told %q", own)
	}
	m.answer(0, "$.Units", 0)
	if got := m.Run(nobody, "kbus", "ask", "$.Units"); got != "yes\n" {
		t.Errorf("the answer is %q", got)
	}
	m.Run(root, "systemctl", "restart", "kbusd")
	m.Run(nobody, "kbus", "list", "--bus", "1")
	m.Run(root, "systemctl", "stop", "kbusd.service")
	m.Run(nobody, "kbus", "list")

	certs := "/etc/kbus/limpets/"
	m.Run(root, "kbus-limpet", "certs", certs, "--id", "1", "--id", "2")
	m.Run(root, "sh", "-ec", "cd "+certs+"; for f in pem key; do mv limpet.1.$f one.$f; mv limpet.2.$f two.$f; done")
	m.Run(root, "systemctl", "start", "kbus-limpet@one", "kbus-limpet@two")
	m.answer(3, "$.Beyond", 4)
	if got := m.Run(nobody, "kbus", "ask", "--bus", "4", "$.Beyond"); got != "yes\n" {
		t.Errorf("the answer from the other bus is %q", got)
	}

	m.Run(root, "systemctl", "start", "kbus-bowl@7")
	m.Run(nobody, "kbus", "ask", "--bus", "2", "$.Ordered", "1")
	m.Run(root, "systemctl", "restart", "kbus-bowl@7")
	if place := m.Run(root, "cat", "/run/kbus/bus1.place"); place == "" {
		t.Error("the place of the ordered bowl is not kept")
	}
	if got := m.Run(root, "systemctl", "list-units", "--failed", "--plain", "--no-legend"); got != "" {
		t.Errorf("failed: %s", got)
	}
}

// bound waits until there is a Replier for a name.
func (m *machine) bound(bus uint32, name string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	listener, err := kbus.Open(ctx, kbus.BusNumber(bus), kbus.Dir(m.Path("/run/kbus")))
	if err != nil {
		m.t.Fatal(err)
	}
	defer listener.Close()
	if err := listener.Bind(ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		m.t.Fatal(err)
	}
	if _, err := listener.Settings().SetReportReplierBinds(ctx, true); err != nil {
		m.t.Fatal(err)
	}
	for {
		if id, err := listener.File().Replier(ctx, name); err != nil || id != 0 {
			return
		}
		if _, err := listener.Receive(ctx); err != nil {
			m.t.Fatalf("nobody binds %s: %v", name, err)
		}
	}
}

// answer has a Replier on a bus that says yes to everything, and waits until it is known on that bus or another.
func (m *machine) answer(bus int, name string, known uint32) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	listener, err := kbus.Open(ctx, kbus.BusNumber(known), kbus.Dir(m.Path("/run/kbus")))
	if err != nil {
		m.t.Fatal(err)
	}
	defer listener.Close()
	if err := listener.Bind(ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		m.t.Fatal(err)
	}
	if _, err := listener.Settings().SetReportReplierBinds(ctx, true); err != nil {
		m.t.Fatal(err)
	}
	replier := m.As(nobody, "kbus", "answer", "--bus", strconv.Itoa(bus), name, "--with", "yes")
	if err := replier.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		replier.Process.Kill()
		replier.Wait()
	})
	for said, err := range listener.Messages(ctx) {
		if err != nil {
			m.t.Fatalf("nobody knows of a Replier for %s: %v", name, err)
		}
		if e, ok := kbus.ParseBindEvent(said.Data); ok && e.Bind && e.Name == name {
			return
		}
	}
}

// free is an address where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
