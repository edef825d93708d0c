package units

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// TestUpgradeByReload: `systemctl reload` has the program that is installed take over, and settings read again. systemd knows
// the new process, clients notice nothing, and the service can be restarted and stopped as before.
func TestUpgradeByReload(t *testing.T) {
	m := boot(t, func(string) {})
	m.Run(root, "systemctl", "start", "kbusd.socket", "kbusd.service")
	c := rawclient.Open(t, m.Path("/run/kbus/bus0.sock"))
	c.Bind("$.A", false)
	process := func() string {
		return strings.TrimSpace(m.Run(root, "systemctl", "show", "-P", "MainPID", "kbusd.service"))
	}
	for round := range 3 {
		before := process()
		if round == 1 {
			write(t, m.Path("/etc/kbus"), "kbusd.toml", "buses = 2\n")
		}
		m.Run(root, "sh", "-c", ": >/run/log")
		c.Must(wire.OpSendMessage, 0, rawclient.Announcement("$.A", "before"))
		m.Run(root, "systemctl", "reload", "kbusd.service")
		m.Run(root, "timeout", "60", "bash", "-c", `grep -m 1 'taken over' <(exec tail -n +1 -F /run/log) >/run/seen`)
		c.Must(wire.OpSendMessage, 0, rawclient.Announcement("$.A", "after"))
		for _, want := range []string{"before", "after"} {
			if got := c.Must(wire.OpNext, 0, nil).Parse(t); string(got.Data) != want {
				t.Errorf("heard %v, want %q", &got, want)
			}
		}
		if after := process(); after == before || after == "0" {
			t.Errorf("the main process was %s, and is %s", before, after)
		}
		m.Run(root, "systemctl", "is-active", "kbusd.service")
	}
	out, err := m.As(root, "runuser", "-u", "kbusd", "--", "kbusd", "--dir", "/run/kbus", "--config", "/etc/kbus/kbusd.toml",
		"--replace").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "must be in its control group") {
		t.Errorf("who does not belong to the service takes over: %v\n%s", err, out)
	}
	m.Run(nobody, "kbus", "list", "--bus", "1")
	m.Run(root, "systemctl", "restart", "kbusd.service")
	m.Run(nobody, "kbus", "list")
	m.Run(root, "systemctl", "stop", "kbusd.service", "kbusd.socket")
	if got := m.Run(root, "systemctl", "list-units", "--failed", "--plain", "--no-legend"); got != "" {
		t.Errorf("failed: %s", got)
	}
}
