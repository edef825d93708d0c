package units

import (
	"path/filepath"
	"strings"
	"testing"
)

// What a vendor installs: a unit, which starts when it is first asked, and rules by which nothing but that unit answers for its
// name. The daemon is root's here; another user needs a rule of polkit to start units.
const (
	doorUnit    = "[Service]\nExecStart=/opt/kbus/bin/kbus answer $$.Door.Lock --with locked\n"
	doorService = "name = \"$.Door.Lock\"\nunit = \"door.service\"\ndeadline = \"60s\"\n"
	doorRules   = `[[rule]]
allow = ["open", "send", "listen", "request", "reply"]
[[rule]]
deny = ["reply"]
name = "$.Door.Lock"
[[rule]]
allow = ["reply"]
name = "$.Door.Lock"
unit = "door.service"
`
)

// TestUnitIsStartedWhenAsked has systemd start a service for its first Request, and the daemon know the unit from others.
func TestUnitIsStartedWhenAsked(t *testing.T) {
	m := boot(t, func(dir string) {
		etc := filepath.Join(dir, "etc")
		write(t, etc, "kbus/kbusd.toml", "")
		write(t, etc, "kbus/kbus.d/door.toml", doorService)
		write(t, etc, "kbus/rules.d/10-door.toml", doorRules)
		write(t, etc, "systemd/system/door.service", doorUnit)
		write(t, etc, "systemd/system/kbusd.service.d/root.conf", "[Service]\nUser=root\n")
	})
	m.Run(root, "systemctl", "start", "kbusd.service")
	said := m.Run(root, "sh", "-c", "kbus answer '$.Door.Lock' --with open --count 1 2>&1; echo status $?")
	if !strings.Contains(said, "10-door.toml:3") || strings.Contains(said, "status 0") {
		t.Errorf("somebody who is not the unit answers for it: %s", said)
	}
	for _, state := range []string{"inactive", "active"} {
		if got := strings.TrimSpace(m.Run(root, "sh", "-c", "systemctl is-active door.service || true")); got != state {
			t.Errorf("the unit is %s, not %s", got, state)
		}
		if got := m.Run(nobody, "kbus", "ask", "$.Door.Lock"); got != "locked\n" {
			t.Errorf("asked when the unit was %s: %q", state, got)
		}
	}
	if t.Failed() {
		t.Log(m.Run(root, "sh", "-c", "cat /run/log | tail -20; systemctl status kbusd door --no-pager; for p in $(ls /proc | grep '^[0-9]'); do echo $p $(cat /proc/$p/comm /proc/$p/cgroup); done"))
	}
}
